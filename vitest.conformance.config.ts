import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.ts';

/** Other people's clients against a whole cloud: the openstack client, openstacksdk, tempest. */
export default defineConfig({
  test: {
    ...patience,
    include: ['**/*.conformance.test.ts'],
    exclude: ['node_modules/**', '.aerostat/**', '.cache/**'],
    maxWorkers: 2,
  },
});
