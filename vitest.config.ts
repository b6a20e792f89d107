import { defineConfig } from 'vitest/config';
import { patience } from './test/patience.ts';

/** Tests that need nothing but Node. */
export default defineConfig({
  test: {
    ...patience,
    include: ['**/*.test.ts'],
    exclude: ['node_modules/**', '.aerostat/**', '.cache/**', '**/*.{edge,hosts,conformance}.test.ts'],
  },
});
