import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.ts';

const everywhere = ['node_modules/**', '.aerostat/**', '.cache/**'];

/**
 * Tests that need root: network namespaces as machines, real nftables, real QEMU guests. Those in test/alone look at the
 * whole machine, so they run after all others and one at a time.
 */
export default defineConfig({
  test: {
    ...patience,
    // One more than processors: guests that boot leave none idle, tests that wait for silence do.
    maxWorkers: 3,
    projects: [
      {
        extends: true,
        test: {
          name: 'hosts',
          include: ['**/*.hosts.test.ts'],
          exclude: [...everywhere, 'test/alone/**'],
          sequence: { groupOrder: 0 },
        },
      },
      {
        extends: true,
        test: {
          name: 'alone',
          include: ['test/alone/*.hosts.test.ts'],
          exclude: everywhere,
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
