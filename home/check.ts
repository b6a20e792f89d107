import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const ROOT = join(import.meta.dirname, '..');

const CHECKS: [what: string, command: string, args: string[]][] = [
  ['format, lint, borders', 'biome', ['check', '--error-on-warnings', '--diagnostic-level=warn', '.']],
  ['types', 'tsc', ['-p', '.']],
  ['dead code', 'knip', []],
];

/** Runs every static check; prints what each says when it fails. @returns the exit code */
export async function check(): Promise<number> {
  let failed = 0;
  for (const [what, command, args] of CHECKS) {
    const began = performance.now();
    const done = spawnSync(join(ROOT, 'node_modules/.bin', command), args, { cwd: ROOT, encoding: 'utf8' });
    const took = `${((performance.now() - began) / 1000).toFixed(1)} s`;
    console.log(`${done.status === 0 ? 'ok    ' : 'FAILED'} ${what} (${took})`);
    if (done.status !== 0) {
      failed += 1;
      console.log(`${done.stdout}${done.stderr}`.trim());
    }
  }
  return failed === 0 ? 0 : 1;
}
