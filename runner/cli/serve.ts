import { existsSync, readdirSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { systemTimers } from '../../shared/clock.ts';
import { randomIds } from '../../shared/ids.ts';
import { Refusal } from '../../shared/refusal.ts';
import { Ledger } from '../link/ledger/ledger.ts';
import { pollTransport } from '../link/poll-transport.ts';
import { Runner } from '../link/runner.ts';
import { websocketTransport } from '../link/websocket-transport.ts';
import { errorText, type Log } from '../log.ts';
import { SPOOL_MEMORY_BYTES_MAX } from '../metering/spool/limits.ts';
import { Spool } from '../metering/spool/spool.ts';
import { assertSameMachine, type Hypervisor, type Identity, readIdentity, writeIdentity } from '../state/identity.ts';
import { bootIdentity, machineIdentity } from '../state/machine-identity.ts';
import { statePaths } from '../state/state-folder.ts';
import { StoreError } from '../state/store.ts';
import { openMachine } from './open-machine.ts';
import type { CliOptions } from './options.ts';
import { writeStatus } from './write-status.ts';

/**
 * Runs the runners of a state folder until the process is told to end.
 * @returns the exit code: 1 where only a new start helps
 * @throws Refusal
 */
export async function serve(options: CliOptions, stateDir: string, log: Log): Promise<number> {
  const folders = runnerFolders(stateDir);
  if (folders.length === 0)
    throw new Refusal(`No runner has joined from ${stateDir}: join URL TOKEN --state ${stateDir}.`);
  const runners: Runner[] = [];
  let end: (code: number) => void = () => {};
  const ended = new Promise<number>((resolve) => {
    end = resolve;
  });
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => end(0));
  process.once('uncaughtException', (error) => {
    log.error('crashed', { error: error.stack ?? String(error) });
    process.exit(1);
  });
  try {
    for (const folder of folders) runners.push(await openRunner(folder, options, log, end));
    for (const runner of runners) runner.start();
    return await ended;
  } finally {
    if (runners.length > 0) log.info('stopping', { runners: runners.length, next: 'guests keep running' });
    await Promise.all(runners.map((runner) => runner.stop()));
  }
}

/** The folders of all runners that joined from a state folder. */
export function runnerFolders(stateDir: string): string[] {
  const { identity, many } = statePaths(stateDir);
  if (existsSync(identity)) return [stateDir];
  if (!existsSync(many)) return [];
  const folders = readdirSync(many)
    .sort()
    .map((name) => join(many, name));
  return folders.filter((folder) => existsSync(statePaths(folder).identity));
}

async function openRunner(
  stateDir: string,
  options: CliOptions,
  log: Log,
  end: (code: number) => void,
): Promise<Runner> {
  const identity = readIdentity(stateDir) as Identity;
  assertSameMachine(identity, machineIdentity(stateDir), stateDir);
  if (options.mark !== undefined && options.mark !== identity.mark)
    throw new Refusal(`This runner marks what it makes with ${identity.mark}: leave --mark away.`);
  const own = log.with({ runner: identity.name });
  const { edge_url: edgeUrl, runner_id: runnerId, mark } = identity;
  const time = systemTimers;
  const bootId = bootIdentity();
  let bearer: string | null = null;
  const ledger = openLedger(stateDir, own);
  const machine = await openMachine(identity.hypervisor, {
    stateDir,
    edgeUrl,
    mark,
    runnerId,
    bearer: () => bearer,
    time,
    log: own,
    bootId,
    bootDelayMs: options.bootDelayMs,
    adminShell: options.adminShell,
    ...(options.moveAddress === undefined ? {} : { moveAddress: options.moveAddress }),
    ...(options.tunnelAddress === undefined ? {} : { tunnelAddress: options.tunnelAddress }),
    physicalNetworks: options.physicalNetworks,
  });
  return new Runner({
    identity,
    saveIdentity: (changed) => writeIdentity(stateDir, changed),
    machine,
    ledger,
    websocket: websocketTransport({ edgeUrl, runnerId, time }),
    poll: pollTransport({ edgeUrl, runnerId, time, fetch }),
    time,
    random: Math.random,
    log: own,
    bootId,
    processId: randomIds.uuid(),
    hostname: hostname(),
    spool: openSpool(stateDir, identity.hypervisor, own),
    monotonicMs: () => performance.now(),
    onBearer: (token) => {
      bearer = token;
    },
    onStatus: (status) => writeStatus(stateDir, status, own),
    onFatal: (reason) => {
      own.error('fatal', { reason });
      end(1);
    },
  });
}

/** A machine is not left alone for its samples' sake: where they have no file they are kept in memory. */
function openSpool(stateDir: string, hypervisor: Hypervisor, log: Log): Spool {
  const durability = hypervisor === 'simulated' ? ('lazy' as const) : ('durable' as const);
  const own = { clock: systemTimers, ids: randomIds, log, durability };
  const path = statePaths(stateDir).spool;
  try {
    return new Spool({ ...own, path });
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    const next = 'samples are kept in memory until the next start';
    log.error('spool-not-opened', { path, error: errorText(error), next });
    return new Spool({ ...own, path: ':memory:', bytesMax: SPOOL_MEMORY_BYTES_MAX });
  }
}

function openLedger(stateDir: string, log: Log): Ledger {
  const path = statePaths(stateDir).ledger;
  try {
    return Ledger.open(path, systemTimers, log);
  } catch (error) {
    if (!(error instanceof StoreError)) throw error;
    throw new Refusal(`${path} cannot be opened: ${errorText(error)}.`);
  }
}
