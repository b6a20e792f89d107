import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CommandError, run } from '../../runner/host/run.ts';
import type { Cloud } from '../cloud.ts';
import { startImageHost } from './image-host.ts';
import { type Sections, tempestConfig } from './tempest-config.ts';

const RUN_TIMEOUT_MS = 400_000;
/** Tempest reads all of its tests for that, on a machine that does other things. */
const LIST_TIMEOUT_MS = 180_000;

/** How one test of tempest ended, and what it said where it did not pass. */
export interface TempestResult {
  outcome: 'ok' | 'FAILED' | 'SKIPPED';
  detail: string;
}

export interface TempestOptions {
  /** Simulated machines of the cloud. */
  runners: number;
  /** Processes that run tests at once. */
  workers?: number;
  timeout_ms?: number;
  /** How long one test may take; as long as it likes, if absent. */
  testTimeout_s?: number;
  /** The network namespace that it runs in, if not the test's own. */
  netns?: string;
  /** What it is told beside the usual. */
  more?: Sections;
  /** Where tempest's log is left; a temporary folder that is removed, if absent. */
  folder?: string;
}

/** The tests that a list names, one a line. */
export const testsIn = (file: string): string[] => readFileSync(file, 'utf8').split('\n').filter(Boolean);

/** A test's name without the attributes in brackets that follow it in lists. */
export const plainName = (test: string): string => test.replace(/\[[^\]]*\]/, '');

/** What became of a test: its own result, or its class's where that could not be set up. */
export const resultOf = (results: Map<string, TempestResult>, name: string): TempestResult | undefined =>
  results.get(name) ?? results.get(name.replace(/\.[^.]+$/, ''));

// Debian's own Python, whatever else is on the PATH; tempest keeps a list of its workspaces at home.
const environment = (folder: string) => ({ PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: folder });

async function newWorkspace(folder: string): Promise<string> {
  const workspace = join(folder, 'workspace');
  await run('/usr/bin/tempest', ['init', workspace], { env: environment(folder), cwd: folder });
  return workspace;
}

/** All tests that this tempest has, as it prints them. */
export async function listTempest(): Promise<string[]> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-tempest-'));
  try {
    const cwd = await newWorkspace(folder);
    const options = { env: environment(folder), cwd, timeout_ms: LIST_TIMEOUT_MS };
    const { stdout } = await run('/usr/bin/tempest', ['run', '--list-tests'], options);
    return stdout.split('\n').filter((line) => /^(tempest|neutron_tempest_plugin)\./.test(line));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Runs tests of tempest against a cloud, as its administrator and as tenants that tempest makes.
 * @param tests - names as `tempest run --list-tests` prints them
 * @returns what became of each test, by its name without attributes; see `resultOf`
 */
export async function runTempest(
  cloud: Cloud,
  tests: readonly string[],
  options: TempestOptions,
): Promise<Map<string, TempestResult>> {
  const { workers = 3, timeout_ms = RUN_TIMEOUT_MS } = options;
  const folder = options.folder ?? mkdtempSync(join(tmpdir(), 'aerostat-tempest-'));
  const images = await startImageHost();
  try {
    const config = join(folder, 'tempest.conf');
    const { runners, more } = options;
    writeFileSync(config, await tempestConfig(cloud, { folder, runners, imageUrl: images.url, more }), { mode: 0o600 });
    const list = join(folder, 'tests.txt');
    writeFileSync(list, tests.join('\n'));
    const cwd = await newWorkspace(folder);
    const args = ['run', '--config-file', config, '--load-list', list, '--concurrency', String(workers)];
    // Its words go to a file: what failed tests say is more than a command's output may be.
    const output = join(folder, 'output.txt');
    const script = 'out="$1"; shift; exec "$@" >"$out" 2>&1';
    const within = options.netns ? ['ip', 'netns', 'exec', options.netns] : [];
    await run('/bin/sh', ['-c', script, 'tempest', output, ...within, '/usr/bin/tempest', ...args], {
      env: { ...environment(folder), OS_TEST_TIMEOUT: String(options.testTimeout_s ?? 0) },
      cwd,
      timeout_ms,
    }).catch((error: unknown) => {
      // It exits with 1 when a test failed: that is a result, too.
      if (!(error instanceof CommandError && error.code === 1)) throw error;
    });
    return resultsIn(readFileSync(output, 'utf8'));
  } finally {
    await images.stop();
    if (!options.folder) rmSync(folder, { recursive: true, force: true });
  }
}

const RESULT =
  /^\{\d+\} (?:(?:setUpClass|tearDownClass) \(([^)]+)\)|(\S+))(?: \[[\d.]+s\])? \.\.\. (ok|FAILED|SKIPPED)/;

/** Reads tempest's words; a class that could not be set up is there under the class's name. */
function resultsIn(output: string): Map<string, TempestResult> {
  const results = new Map<string, TempestResult>();
  let last: TempestResult | undefined;
  for (const line of output.split('\n')) {
    // What follows is about all of them, and says it all again.
    if (line === 'Totals' || /^Failed \d+ tests - output below/.test(line)) break;
    const found = RESULT.exec(line);
    if (found) {
      last = { outcome: found[3] as TempestResult['outcome'], detail: line };
      results.set(found[1] ?? plainName(found[2] ?? ''), last);
    } else if (last && last.outcome !== 'ok') last.detail += `\n${line}`;
  }
  return results;
}
