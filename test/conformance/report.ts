import type { TempestResult } from './tempest.ts';

/** How one test ended, and why that was expected where it did not pass. */
export interface Verdict {
  test: string;
  group: string;
  outcome: 'passed' | 'failed' | 'skipped';
  result: TempestResult | undefined;
  reason: string | undefined;
}

const DETAIL_LINES = 10;
const DETAIL_CHARACTERS = 400;
/** A frame of tempest's own library, and what is in every report of a failure. */
const LIBRARY = /File ".*\/(?:tempest\/lib|testtools|unittest|jsonschema|fixtures)\//;
const NOISE = new RegExp(`${LIBRARY.source}|^\\s*[~^]+$|^\\s*[{}\\]]*$|Captured traceback|Traceback|^Details: $|^$`);

/** Prints what did not pass, a class that could not be set up once for all of its tests. */
export function printFailures(verdicts: Verdict[], verbose: boolean): void {
  for (const outcome of ['skipped', 'failed'] as const) {
    const seen = new Map<TempestResult | string, Verdict[]>();
    for (const one of verdicts.filter((verdict) => verdict.outcome === outcome)) {
      const key = one.result ?? one.test;
      seen.set(key, [...(seen.get(key) ?? []), one]);
    }
    for (const [result, own] of seen) {
      console.log(`\n${outcome}: ${own.map(({ test }) => test).join('\n         ')}`);
      if (own[0]?.reason) console.log(`    expected: ${own[0].reason}`);
      console.log(typeof result === 'string' ? '    it did not run' : words(result.detail, verbose));
    }
  }
}

/** `12 passed, 1 failed, 3 skipped` */
export function tally(verdicts: Verdict[]): string {
  const count = (outcome: Verdict['outcome']) => verdicts.filter((one) => one.outcome === outcome).length;
  return `${count('passed')} passed, ${count('failed')} failed, ${count('skipped')} skipped`;
}

/** What a test said, but for the frames within tempest's own library; its last request stands for its log. */
function words(detail: string, verbose: boolean): string {
  const lines = detail.split('\n').filter((line) => line.trim() !== '');
  if (verbose) return lines.join('\n');
  const log = lines.findIndex((line) => line.startsWith('Captured pythonlogging'));
  const said = (log < 0 ? lines : lines.slice(0, log)).map((line, at) =>
    at > 0 ? line : line.replace(/^.*\.\.\. (FAILED|SKIPPED: )/, ''),
  );
  const error = said.filter((line, at) => !NOISE.test(line) && !LIBRARY.test(said[at - 1] ?? ''));
  const requests = lines.filter((line) => /Request \((?!\w+:_run_cleanups|\w+:tearDown)/.test(line));
  const last = requests.at(-1)?.replace(/^.*Request \([^)]*\): /, 'last request: ');
  return [...error.slice(-DETAIL_LINES), ...(last ? [last] : [])]
    .map((line) => `    ${line.trim().slice(0, DETAIL_CHARACTERS)}`)
    .join('\n');
}
