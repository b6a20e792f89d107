import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Refusal } from '../shared/refusal.ts';
import { type LaneReport, REPORT_VARIABLE } from './lane-reporter.ts';

const ROOT = join(import.meta.dirname, '..');
/** In this order: the quick ones first. */
const LANES = ['unit', 'edge', 'hosts', 'conformance'];
const WHY_CHARACTERS_MAX = 300;

interface Lane extends LaneReport {
  name: string;
}

/**
 * Runs test lanes, all by default, each by vitest. At the end each failed test is named, because a log may lack its
 * middle; the last line is `N passed, N failed, N skipped`.
 * @returns the exit code: 0 when all passed and none was skipped
 */
export async function testLanes(args: string[]): Promise<number> {
  const named = args.filter((arg) => LANES.includes(arg));
  const rest = args.filter((arg) => !LANES.includes(arg));
  if (rest.some((arg) => arg === '--help')) {
    console.log(`npm test [-- LANE ... [VITEST OPTIONS]]\nLanes: ${LANES.join(', ')}`);
    return 0;
  }
  const lanes: Lane[] = [];
  for (const name of named.length > 0 ? named : LANES) {
    const began = performance.now();
    console.log(`\n=== ${name}`);
    const config = name === 'unit' ? 'vitest.config.ts' : `vitest.${name}.config.ts`;
    const report = await runVitest(['--config', config, ...rest]);
    const took = `${((performance.now() - began) / 1000).toFixed(0)} s`;
    console.log(`=== ${name}: ${report.passed} passed, ${report.failures.length} failed in ${took}`);
    lanes.push({ name, ...report });
  }
  const sum = summary(lanes);
  console.log(sum.text);
  return sum.good ? 0 : 1;
}

/** What is said at the end: the failed tests of every lane by name, and the totals on the last line. */
export function summary(lanes: Lane[]): { text: string; good: boolean } {
  const failures = lanes.flatMap((lane) =>
    lane.failures.map(({ what, why }) => `FAILED ${lane.name}: ${what}: ${why.slice(0, WHY_CHARACTERS_MAX)}`),
  );
  const passed = lanes.reduce((sum, lane) => sum + lane.passed, 0);
  const skipped = lanes.reduce((sum, lane) => sum + lane.skipped, 0);
  const totals = `${passed} passed, ${failures.length} failed, ${skipped} skipped`;
  return { text: [...failures, totals].join('\n'), good: failures.length === 0 && skipped === 0 && passed > 0 };
}

/** Runs vitest to its end. A bad end without a failed test (no file found, a crash) is a failure, too. */
export async function runVitest(args: string[], output: 'inherit' | 'ignore' = 'inherit'): Promise<LaneReport> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-test-'));
  const file = join(folder, 'report.json');
  const reporters = ['--reporter=default', `--reporter=${join(ROOT, 'home/lane-reporter.ts')}`];
  try {
    const end = await new Promise<string>((resolve, reject) => {
      const child = spawn(join(ROOT, 'node_modules/.bin/vitest'), ['run', ...reporters, ...args], {
        cwd: ROOT,
        stdio: output,
        env: { ...process.env, [REPORT_VARIABLE]: file },
      });
      child.on('error', (error) =>
        reject(new Refusal(`vitest could not be started: ${error.message}. Try: rm -rf node_modules && npm test`)),
      );
      child.on('exit', (code, signal) => resolve(signal ? `signal ${signal}` : `exit code ${code}`));
    });
    const report = readReport(file);
    if (end === 'exit code 0' || report.failures.length > 0) return report;
    return { ...report, failures: [{ what: 'vitest', why: `it ended with ${end}, and no test failed` }] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function readReport(file: string): LaneReport {
  try {
    return JSON.parse(readFileSync(file, 'utf8')) as LaneReport;
  } catch {
    return { passed: 0, skipped: 0, failures: [{ what: 'vitest', why: 'it ended without a report' }] };
  }
}
