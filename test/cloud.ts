import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, login } from '../home/api-client.ts';
import { writeCredentials } from '../home/credentials.ts';
import { freePort } from '../home/free-port.ts';
import { type StatePaths, statePaths } from '../home/paths.ts';
import { loadSecrets } from '../home/secrets.ts';
import { type Edge, startEdge } from '../home/start-edge.ts';
import { until } from '../home/until.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../runner/main.ts');
const CONNECT_TIMEOUT_MS = 60_000;
export const REGION = 'RegionOne';

/** A whole control plane of a test's own, in real processes. */
export interface Cloud {
  url: string;
  paths: StatePaths;
  edge: Edge;
  admin: ApiClient;
  /** Starts runners as one process: joined first, if their state folder is new. */
  runners(options: RunnerProcessOptions): Promise<RunnerProcess>;
  /** Stops everything that was started here; guests of real runners are their tests' own affair. */
  stop(): Promise<void>;
}

export interface RunnerProcessOptions {
  hypervisor: 'qemu' | 'simulated';
  /** Simulated runners in the process. */
  count?: number;
  name?: string;
  stateDir?: string;
  /** A network namespace that is its machine. */
  netns?: string;
  /** What it is told the edge is called; a machine in a namespace reaches it by another address. */
  edgeUrl?: string;
  args?: string[];
  env?: Record<string, string>;
  /** A file that it takes for the kernel's boot id: with other words in it, the machine seems to have been started anew. */
  bootIdFile?: string;
}

interface RunnerRow {
  name: string;
  status: string;
  epoch: number;
}

/** Lays a file over the kernel's boot id, in a mount namespace of the process's own. */
const WITH_BOOT_ID = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"';

/** A process of runners under a test's control: it can be killed and started again. */
export interface RunnerProcess {
  stateDir: string;
  logFile: string;
  pid(): number | undefined;
  kill(signal?: NodeJS.Signals): Promise<void>;
  /** Starts it again from its state folder, and waits until it is connected (unless told not to). */
  start(options?: { wait?: boolean }): Promise<void>;
}

/** Starts a control plane in a temporary folder, on a port of its own. */
export async function startCloud(
  options: {
    host?: string;
    publicUrl?: (port: number) => string;
    importAllow?: string[];
    ssoAllow?: string[];
    webhookAllow?: string[];
    trustedDashboards?: string[];
    securityCompliance?: string;
    workerEntry?: string;
  } = {},
): Promise<Cloud> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-cloud-'));
  const paths = statePaths(folder);
  const port = await freePort();
  const { host = '127.0.0.1', publicUrl = () => `http://127.0.0.1:${port}`, ...more } = options;
  const secrets = loadSecrets(paths.secrets);
  const edge = await startEdge({ paths, secrets, host, port, publicUrl: publicUrl(port), region: REGION, ...more });
  const url = publicUrl(port);
  writeCredentials(paths, { authUrl: `${url}/identity/v3`, password: secrets.adminPassword, region: REGION });
  const admin = await login(`${url}/identity/v3`, { user: 'admin', password: secrets.adminPassword, project: 'admin' });
  const started: RunnerProcess[] = [];
  return {
    url,
    paths,
    edge,
    admin,
    async runners(wanted) {
      const runner = await startRunnerProcess(admin, folder, { edgeUrl: url, ...wanted });
      started.push(runner);
      return runner;
    },
    async stop() {
      for (const runner of started) await runner.kill('SIGTERM');
      await edge.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function startRunnerProcess(
  admin: ApiClient,
  folder: string,
  options: RunnerProcessOptions,
): Promise<RunnerProcess> {
  const { count = 1, name = `r${Math.random().toString(36).slice(2, 8)}` } = options;
  const stateDir = options.stateDir ?? join(folder, `runner-${name}`);
  const logFile = join(folder, `${name}.log`);
  const ownRunners = async () => {
    const all = await admin.call<{ runners: RunnerRow[] }>('aerostat', 'GET', '/runners');
    return all.runners.filter((one) => one.name.startsWith(name));
  };
  /** The epochs of the sessions before: the edge may not have noticed yet that they are over. */
  let epochs = new Map<string, number>();
  const connected = async () =>
    (await ownRunners()).filter((one) => one.status === 'connected' && one.epoch > (epochs.get(one.name) ?? 0))
      .length === count;
  let child: ChildProcess | undefined;
  const launch = (args: string[]) => {
    const log = openSync(logFile, 'a');
    const command = [
      process.execPath,
      '--disable-warning=ExperimentalWarning',
      RUNNER_MAIN,
      ...args,
      ...(options.args ?? []),
    ];
    const { netns, bootIdFile } = options;
    const booted = bootIdFile ? ['unshare', '--mount', 'sh', '-c', WITH_BOOT_ID, bootIdFile, ...command] : command;
    const whole = netns ? ['ip', 'netns', 'exec', netns, ...booted] : booted;
    const own = spawn(whole[0] ?? '', whole.slice(1), {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...options.env },
    });
    closeSync(log);
    own.on('exit', () => {
      if (child === own) child = undefined;
    });
    child = own;
  };
  const waitConnected = async () => {
    try {
      await until(`${count} runner(s) ${name}`, CONNECT_TIMEOUT_MS, connected);
    } catch (error) {
      throw new Error(`${(error as Error).message}\n${readFileSync(logFile, 'utf8').slice(-4000)}`);
    }
  };
  const tokenFile = join(folder, `${name}.tokens`);
  const tokens: string[] = [];
  for (let at = 0; at < count; at += 1) {
    tokens.push(
      (await admin.call<{ join_token: { token: string } }>('aerostat', 'POST', '/join-tokens', { join_token: {} }))
        .join_token.token,
    );
  }
  writeFileSync(tokenFile, `${tokens.join('\n')}\n`, { mode: 0o600 });
  const many = count > 1 ? ['--count', String(count)] : [];
  launch([
    'join',
    options.edgeUrl ?? '',
    '--token-file',
    tokenFile,
    '--name',
    name,
    '--state',
    stateDir,
    '--hypervisor',
    options.hypervisor,
    ...many,
  ]);
  await waitConnected();
  return {
    stateDir,
    logFile,
    pid: () => child?.pid,
    async kill(signal = 'SIGKILL') {
      const own = child;
      if (!own) return;
      const gone = new Promise((resolve) => own.once('exit', resolve));
      own.kill(signal);
      await gone;
    },
    async start({ wait = true } = {}) {
      if (wait) epochs = new Map((await ownRunners()).map((one) => [one.name, one.epoch]));
      launch(['run', '--state', stateDir]);
      if (wait) await waitConnected();
    },
  };
}
