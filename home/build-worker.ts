import { join } from 'node:path';
import { build } from 'esbuild';

const ENTRY = join(import.meta.dirname, '../worker/index.ts');

/**
 * Bundles the worker into one module for workerd.
 * @param entry - the module whose exports it has; another than the worker's own for a benchmark
 * @returns the bundle's path
 */
export async function buildWorker(outDir: string, entry = ENTRY): Promise<string> {
  const outfile = `${outDir}/worker.js`;
  await build({
    entryPoints: [entry],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2024',
    platform: 'neutral',
    mainFields: ['module', 'main'],
    conditions: ['workerd', 'worker', 'browser', 'import'],
    external: ['cloudflare:*', 'node:*'],
    logLevel: 'error',
    sourcemap: 'linked',
    minifySyntax: true,
  });
  return outfile;
}
