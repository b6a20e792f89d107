import { defineConfig } from 'vitest/config';

/** Tests that need nothing but Node. */
export default defineConfig({
  test: {
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.aerostat/**', '.cache/**', '**/*.{edge,hosts,conformance}.test.ts'],
    testTimeout: 30_000,
  },
});
