import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../shared/clock.ts';
import type { ApiClient } from './api-client.ts';
import type { StatePaths } from './paths.ts';
import { type Supervisor, supervise } from './supervise.ts';
import { until } from './until.ts';

const RUNNER_TIMEOUT_MS = 60_000;
const RUNNER_MAIN = join(import.meta.dirname, '../runner/main.ts');

/** Joins this machine where it has not, and keeps its runner running. */
export async function startRunner(
  api: ApiClient,
  paths: StatePaths,
  { url, mark }: { url: string; mark: string },
): Promise<Supervisor> {
  const common = ['--disable-warning=ExperimentalWarning', RUNNER_MAIN];
  const joined = existsSync(join(paths.runner, 'identity.json'));
  const env: Record<string, string> = {};
  const args = ['run', '--state', paths.runner, '--mark', mark];
  if (!joined) {
    const made = await api.call<{ join_token: { token: string } }>('aerostat', 'POST', '/join-tokens', {
      join_token: {},
    });
    // By the environment: a command line can be read by everyone on the machine.
    env.AEROSTAT_JOIN_TOKEN = made.join_token.token;
    args.splice(0, 1, 'join', url);
  }
  const runner = supervise(
    {
      name: 'runner',
      command: process.execPath,
      args: [...common, ...args],
      env,
      logFile: join(paths.logs, 'runner.log'),
    },
    systemClock,
  );
  try {
    await until(`the runner (see ${join(paths.logs, 'runner.log')})`, RUNNER_TIMEOUT_MS, async () =>
      (await runners(api)).some((one) => one.status === 'connected'),
    );
  } catch (error) {
    await runner.stop();
    throw error;
  }
  return runner;
}

interface Runner {
  status: string;
  hypervisor: string;
  capabilities: string[];
  capacity: { vcpus: number; memory_mib: number };
}

const runners = async (api: ApiClient) =>
  (await api.call<{ runners: Runner[] }>('aerostat', 'GET', '/runners')).runners;

/** The machine in a few words: how much it has, and whether guests run fast on it. */
export async function describeRunner(api: ApiClient): Promise<string> {
  const [runner] = await runners(api);
  if (!runner) return '';
  const how = runner.capabilities.includes('accelerator:kvm')
    ? 'KVM'
    : 'no working KVM here: QEMU emulates by TCG, which is slow';
  return `${runner.capacity.vcpus} CPUs, ${runner.capacity.memory_mib} MiB, ${how}`;
}
