import { cpSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal } from '../../shared/refusal.ts';
import { startCloud } from '../cloud.ts';
import { covers, readExceptions } from './exceptions.ts';
import { printFailures, tally, type Verdict } from './report.ts';
import { listTempest, plainName, resultOf, runTempest, type TempestResult } from './tempest.ts';

const EXCEPTIONS = join(import.meta.dirname, 'exceptions.txt');
const RUN_TIMEOUT_MS = 3 * 3_600_000;
/** Enough to migrate between, and for one to be taken out of service. */
const RUNNERS = 3;

/** What tempest takes for granted by its own defaults (`identity.user_lockout_*`, `user_unique_last_password_count`). */
const SECURITY_COMPLIANCE = { lockout_failure_attempts: 2, lockout_duration: 5, unique_last_password_count: 2 };

/** What is run of tempest and of Neutron's own tests: all of these services, but for what needs block storage. */
const GROUPS: Record<string, RegExp> = {
  identity: /^tempest\.api\.identity\.(v3|admin\.v3)\./,
  image: /^tempest\.api\.image\.v2\./,
  compute: /^tempest\.api\.compute\.(?!volumes\.|admin\.test_volume)/,
  network: /^tempest\.api\.network\./,
  'network-plugin': /^neutron_tempest_plugin\.api\./,
};

/** How tempest says that a test is about an extension of Neutron's that `/v2.0/extensions` does not name. */
const MISSING_EXTENSION = /[\w-]+ extension not enabled|network extension: [\w-]+ is not enabled/;

const HELP = `npm run conformance:full [-- GROUP | REGEX ...] [--workers N] [--verbose]
Runs tempest's API tests (${Object.keys(GROUPS).join(', ')}; all by default) against a cloud of ${RUNNERS} simulated machines.
Exit code 0: all passed, but for what test/conformance/exceptions.txt names.
--verbose prints all that a failed test said.`;

/** `npm run conformance:full`. @returns the exit code */
export async function conformance(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      workers: { type: 'string', default: '4' },
      verbose: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) {
    console.log(HELP);
    return 0;
  }
  const tests = chosen(await listTempest(), positionals);
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-conformance-'));
  const verdicts = judge(tests.map(plainName), await runAll(tests, { folder, workers: Number(values.workers) }));
  printFailures(verdicts, values.verbose);
  console.log(`\nThe logs of all are in ${folder}`);
  return summary(verdicts);
}

const groupOf = (test: string): string | undefined => Object.keys(GROUPS).find((name) => GROUPS[name]?.test(test));

function chosen(all: string[], wanted: string[]): string[] {
  const patterns = wanted.map((one) => GROUPS[one] ?? new RegExp(one));
  const ours = all.filter((test) => groupOf(test) !== undefined);
  const tests = ours.filter((test) => patterns.length === 0 || patterns.some((pattern) => pattern.test(test)));
  if (tests.length === 0) throw new Refusal(`no test of tempest is called ${wanted.join(' or ')}`);
  return tests;
}

async function runAll(tests: string[], of: { folder: string; workers: number }): Promise<Map<string, TempestResult>> {
  const cloud = await startCloud({
    importAllow: ['127.0.0.1/32'],
    securityCompliance: JSON.stringify(SECURITY_COMPLIANCE),
  });
  const began = performance.now();
  try {
    const machines = await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
    console.log(`${tests.length} tests, against ${cloud.url}`);
    const results = await runTempest(cloud, tests, { runners: RUNNERS, timeout_ms: RUN_TIMEOUT_MS, ...of });
    cpSync(cloud.paths.logs, join(of.folder, 'edge-logs'), { recursive: true });
    cpSync(machines.logFile, join(of.folder, 'runner.log'));
    return results;
  } finally {
    await cloud.stop();
    console.log(`took ${((performance.now() - began) / 1000).toFixed(0)} s`);
  }
}

function judge(tests: string[], results: Map<string, TempestResult>): Verdict[] {
  const exceptions = readExceptions(EXCEPTIONS);
  const words = { ok: 'passed', FAILED: 'failed', SKIPPED: 'skipped' } as const;
  // A class whose end failed, after its tests had results of their own.
  const ends = [...results.keys()].filter((name) =>
    tests.some((test) => test.startsWith(`${name}.`) && results.has(test)),
  );
  return [...tests, ...ends].sort().map((test) => {
    const result = resultOf(results, test);
    const outcome = result ? words[result.outcome] : 'failed';
    const missing = outcome === 'skipped' ? MISSING_EXTENSION.exec(result?.detail ?? '')?.[0] : undefined;
    const reason = exceptions.find((one) => covers(one, test))?.reason ?? missing;
    return { test, group: groupOf(test) ?? '', outcome, result, reason };
  });
}

/** Prints the figures, a line a group. @returns the exit code */
function summary(verdicts: Verdict[]): number {
  console.log('');
  for (const group of Object.keys(GROUPS)) {
    const own = verdicts.filter((one) => one.group === group);
    if (own.length > 0) console.log(`${group}: ${tally(own)}`);
  }
  const unexpected = verdicts.filter((one) => one.outcome !== 'passed' && one.reason === undefined);
  const stale = staleExceptions(verdicts);
  for (const name of stale) console.log(`passes, though it is named in exceptions.txt: ${name}`);
  console.log(`all: ${tally(verdicts)} (${unexpected.length} not expected)`);
  return unexpected.length === 0 && stale.length === 0 ? 0 : 1;
}

/** Exceptions whose tests ran and all passed. */
function staleExceptions(verdicts: Verdict[]): string[] {
  return readExceptions(EXCEPTIONS)
    .filter((exception) => {
      const own = verdicts.filter(({ test }) => covers(exception, test));
      return own.length > 0 && own.every(({ outcome }) => outcome === 'passed');
    })
    .map(({ name }) => name);
}
