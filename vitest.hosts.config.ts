import { defineConfig } from 'vitest/config';

/** Tests that need root: network namespaces as machines, real nftables, real QEMU guests. */
export default defineConfig({
  test: {
    include: ['**/*.hosts.test.ts'],
    exclude: ['node_modules/**', '.aerostat/**', '.cache/**'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
