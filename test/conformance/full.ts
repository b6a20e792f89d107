import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { Refusal } from '../../shared/refusal.ts';
import { covers, readExceptions } from './exceptions.ts';
import { printFailures, tally, type Verdict } from './report.ts';
import { REAL_MACHINES, SIMULATED_MACHINES, type Stage, scenarioStage, simulatedStage } from './stages.ts';
import { listTempest, plainName, resultOf, type TempestResult } from './tempest.ts';

const EXCEPTIONS = join(import.meta.dirname, 'exceptions.txt');

/** What is run of tempest and of Neutron's own tests: all of these services, but for what needs services that are not here. */
const GROUPS: Record<string, RegExp> = {
  identity: /^tempest\.api\.identity\.(v3|admin\.v3)\./,
  image: /^tempest\.api\.image\.v2\./,
  compute: /^tempest\.api\.compute\.(?!volumes\.|admin\.test_volume)/,
  network: /^tempest\.api\.network\./,
  'network-plugin': /^neutron_tempest_plugin\.api\./,
  scenarios: /^tempest\.scenario\.(?!.*\b(volume|object_storage|dashboard)\b)/,
};
/** Where groups run, and how many tests at once. A guest without KVM takes most of a processor while it boots. */
const STAGES: { stage: Stage; groups: (group: string) => boolean; workers: number }[] = [
  { stage: simulatedStage, groups: (group) => group !== 'scenarios', workers: 4 },
  { stage: scenarioStage, groups: (group) => group === 'scenarios', workers: 2 },
];

/** How tempest says that a test is about an extension of Neutron's that `/v2.0/extensions` does not name. */
const MISSING_EXTENSION = /[\w-]+ extension not enabled|network extension: [\w-]+ is not enabled/;

const HELP = `npm run conformance:full [-- GROUP | REGEX ...] [--workers N] [--verbose]
Runs tempest's tests (${Object.keys(GROUPS).join(', ')}; all by default) against a cloud of ${SIMULATED_MACHINES} simulated machines, and
scenarios against ${REAL_MACHINES} network namespaces with real guests.
Exit code 0: all passed, but for what test/conformance/exceptions.txt names.
--verbose prints all that a failed test said.`;

/** `npm run conformance:full`. @returns the exit code */
export async function conformance(args: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      workers: { type: 'string' },
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
  const verdicts = judge(tests.map(plainName), await runAll(tests, folder, values.workers));
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

async function runAll(tests: string[], folder: string, workers?: string): Promise<Map<string, TempestResult>> {
  const began = performance.now();
  const results = new Map<string, TempestResult>();
  for (const { stage, groups, ...usual } of STAGES) {
    const own = tests.filter((test) => groups(groupOf(test) ?? ''));
    if (own.length === 0) continue;
    const options = { folder: join(folder, stage.name), workers: Number(workers ?? usual.workers) };
    mkdirSync(options.folder);
    for (const [test, result] of await stage(own, options)) results.set(test, result);
  }
  console.log(`took ${((performance.now() - began) / 1000).toFixed(0)} s`);
  return results;
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
