import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../shared/refusal.ts';

const ROOT = join(import.meta.dirname, '..');
/** In this order: the quick ones first. */
const LANES = ['unit', 'edge', 'hosts', 'conformance'];

interface Totals {
  passed: number;
  failed: number;
  skipped: number;
}

/**
 * Runs test lanes, all by default, each by vitest. The last line is `N passed, N failed, N skipped`.
 * @returns the exit code: 0 when all passed and none was skipped
 */
export async function testLanes(args: string[]): Promise<number> {
  const named = args.filter((arg) => LANES.includes(arg));
  const rest = args.filter((arg) => !LANES.includes(arg));
  if (rest.some((arg) => arg === '--help')) {
    console.log(`npm test [-- LANE ... [VITEST OPTIONS]]\nLanes: ${LANES.join(', ')}`);
    return 0;
  }
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-test-'));
  const totals: Totals = { passed: 0, failed: 0, skipped: 0 };
  try {
    for (const lane of named.length > 0 ? named : LANES) {
      const began = performance.now();
      console.log(`\n=== ${lane}`);
      const counted = await runLane(lane, rest, join(folder, `${lane}.json`));
      console.log(
        `=== ${lane}: ${counted.passed} passed, ${counted.failed} failed in ${((performance.now() - began) / 1000).toFixed(0)} s`,
      );
      for (const key of ['passed', 'failed', 'skipped'] as const) totals[key] += counted[key];
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${totals.passed} passed, ${totals.failed} failed, ${totals.skipped} skipped`);
  return totals.failed === 0 && totals.skipped === 0 && totals.passed > 0 ? 0 : 1;
}

async function runLane(lane: string, rest: string[], report: string): Promise<Totals> {
  const config = lane === 'unit' ? 'vitest.config.ts' : `vitest.${lane}.config.ts`;
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const code = await new Promise<number>((resolve, reject) => {
    const child = spawn(join(ROOT, 'node_modules/.bin/vitest'), ['run', '--config', config, ...reporters, ...rest], {
      cwd: ROOT,
      stdio: 'inherit',
    });
    child.on('error', (error) =>
      reject(new Refusal(`vitest could not be started: ${error.message}. Try: rm -rf node_modules && npm test`)),
    );
    child.on('exit', (exit) => resolve(exit ?? 1));
  });
  const counted = readReport(report);
  // A lane that ended badly without a failed test (no file found, a crash, an unhandled error) is a failure all the same.
  return code !== 0 && counted.failed === 0 ? { ...counted, failed: 1 } : counted;
}

function readReport(file: string): Totals {
  try {
    const report = JSON.parse(readFileSync(file, 'utf8')) as {
      numPassedTests: number;
      numFailedTests: number;
      numPendingTests: number;
      numTodoTests: number;
    };
    return {
      passed: report.numPassedTests,
      failed: report.numFailedTests,
      skipped: report.numPendingTests + report.numTodoTests,
    };
  } catch {
    return { passed: 0, failed: 1, skipped: 0 };
  }
}
