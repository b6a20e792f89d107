import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { systemTimers } from '../../shared/clock.ts';
import { randomIds } from '../../shared/ids.ts';
import type { Machine } from '../driver.ts';
import { Ledger } from '../link/ledger/ledger.ts';
import type { LinkStatus } from '../link/link.ts';
import { pollTransport } from '../link/poll-transport.ts';
import { Runner } from '../link/runner.ts';
import { websocketTransport } from '../link/websocket-transport.ts';
import { Spool } from '../metering/spool/spool.ts';
import { SimulatedMachine } from '../simulated/simulated-machine.ts';
import type { Identity } from '../state/identity.ts';
import { newKey, publicKeyOf } from '../state/keys.ts';
import { capturedLog } from './captured-log.ts';
import { FakeEdge } from './fake-edge.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The lowest end of every window, so that a test need not wait for a reconnect. */
const hasty = () => 0.01;

export interface LiveRunner {
  runner: Runner;
  machine: SimulatedMachine;
  ledger: Ledger;
  log: ReturnType<typeof capturedLog>;
  statuses: LinkStatus[];
  bearers: string[];
  fatal: string[];
  identity: () => Identity;
  stop(): Promise<void>;
}

/** An edge of the test's own. */
export async function startEdge(): Promise<FakeEdge> {
  const edge = await new FakeEdge().listen();
  onTestFinished(() => edge.close());
  return edge;
}

/** A runner on a simulated machine in this process, over real sockets; enrolled unless its identity is given. */
export function startRunner(
  edge: FakeEdge,
  options: {
    folder?: string;
    identity?: Identity;
    bootId?: string;
    wrap?: (machine: SimulatedMachine) => Machine;
  } = {},
): LiveRunner {
  const folder = options.folder ?? temporaryFolder();
  const log = capturedLog();
  const bootId = options.bootId ?? 'boot-1';
  let identity = options.identity ?? enrolled(edge);
  const { runner_id: runnerId } = identity;
  const ledger = Ledger.open(join(folder, 'ledger.db'), systemTimers, log);
  const machine = new SimulatedMachine({ stateDir: folder, bootId, time: systemTimers, log });
  const spool = new Spool({ path: join(folder, 'meters.db'), clock: systemTimers, ids: randomIds, log });
  const statuses: LinkStatus[] = [];
  const bearers: string[] = [];
  const fatal: string[] = [];
  const where = { edgeUrl: edge.url, runnerId, time: systemTimers };
  const runner = new Runner({
    identity,
    saveIdentity: (changed) => {
      identity = changed;
    },
    machine: options.wrap?.(machine) ?? machine,
    ledger,
    websocket: websocketTransport(where),
    poll: pollTransport({ ...where, fetch }),
    time: systemTimers,
    random: hasty,
    log,
    bootId,
    processId: randomUUID(),
    hostname: 'test',
    spool,
    monotonicMs: () => performance.now(),
    onBearer: (token) => bearers.push(token),
    onStatus: (status) => statuses.push(status),
    onFatal: (reason) => fatal.push(reason),
  });
  runner.start();
  let stopped = false;
  const stop = async () => {
    if (stopped) return;
    stopped = true;
    await runner.stop();
  };
  onTestFinished(stop);
  return { runner, machine, ledger, log, statuses, bearers, fatal, identity: () => identity, stop };
}

/** A new identity that the edge knows. */
export function enrolled(edge: FakeEdge): Identity {
  const key = newKey();
  const runner_id = randomUUID();
  edge.keys.set(runner_id, { publicKey: publicKeyOf(key), machineId: 'm' });
  return {
    runner_id,
    name: 'test',
    region: 'RegionOne',
    edge_url: edge.url,
    hypervisor: 'simulated',
    machine_id: 'm',
    mark: 'aetest',
    private_key: key,
  };
}
