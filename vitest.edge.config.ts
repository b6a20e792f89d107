import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.ts';

/** Tests that run inside workerd, with the real database process (started by the global setup). */
export default defineConfig({
  plugins: [
    cloudflareTest(({ inject }) => ({
      wrangler: { configPath: './wrangler.toml' },
      miniflare: {
        // The store of blobs at home, beside the bucket that the worker itself uses here.
        serviceBindings: { TEST_BLOBS: { disk: { path: inject<string>('blobFolder'), writable: true } } },
        bindings: {
          DATABASE_URL: inject<string>('databaseUrl'),
          DATABASE_TOKEN: inject<string>('databaseToken'),
          TOKEN_KEY: btoa('0123456789abcdef0123456789abcdef'),
          // The receivers of the tests are on this machine.
          WEBHOOK_ALLOW: '127.0.0.0/8',
          TEST_ADMIN_PASSWORD: inject<string>('adminPassword'),
        },
      },
    })),
  ],
  test: {
    ...patience,
    include: ['**/*.edge.test.ts'],
    globalSetup: ['./test/edge-setup.ts'],
    // Every test makes its own tenants, so files can share a runtime; starting one takes longer than most files.
    isolate: false,
  },
});
