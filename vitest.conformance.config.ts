import { defineConfig } from 'vitest/config';

/** Other people's clients against a whole cloud: the openstack client, openstacksdk, tempest. */
export default defineConfig({
  test: {
    include: ['**/*.conformance.test.ts'],
    exclude: ['node_modules/**', '.aerostat/**', '.cache/**'],
    testTimeout: 240_000,
    hookTimeout: 240_000,
    maxWorkers: 2,
  },
});
