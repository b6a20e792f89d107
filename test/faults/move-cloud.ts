import { closeSync, fstatSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { seed } from '../../home/seed.ts';
import { until } from '../../home/until.ts';
import { QmpClient } from '../../runner/host/qmp.ts';
import { run } from '../../runner/host/run.ts';
import { type RunnerProcess, startCloud } from '../cloud.ts';
import { buildGuest } from '../guest/build-guest.ts';
import { type Machine, openMachine } from '../machine.ts';
import type { FaultCloud } from './fault-cloud.ts';
import { guestsOn } from './qemu-cloud.ts';

const RUNNER_MAIN = join(import.meta.dirname, '../../runner/main.ts');
const WAIT_MS = 60_000;

/** A machine with its runner. */
export interface Place {
  name: string;
  machine: Machine;
  runner: RunnerProcess;
}

/** A control plane with two real machines that reach each other over a line of their own. */
export interface MoveCloud extends FaultCloud {
  a: Place;
  b: Place;
  /** Cuts the line between the two, and mends it. */
  line(state: 'up' | 'down'): Promise<void>;
  close(): Promise<void>;
}

export async function startMoveCloud(cidr: string): Promise<MoveCloud> {
  const cloud = await startCloud();
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-moves-'));
  const port = Number(new URL(cloud.url).port);
  const machines = [await openMachine({ port }), await openMachine({ port })] as const;
  const [one, other] = machines;
  await run('ip', ['-n', one.netns, 'link', 'add', 'moves', 'type', 'veth', 'peer', 'moves', 'netns', other.netns]);
  const place = async (machine: Machine, name: string, address: string): Promise<Place> => {
    await machine.run('ip', ['addr', 'add', `${address}/24`, 'dev', 'moves']);
    await machine.run('ip', ['link', 'set', 'moves', 'up']);
    const { netns, edgeUrl } = machine;
    const args = ['--admin-shell', '--move-address', address];
    const runner = await cloud.runners({
      hypervisor: 'qemu',
      name,
      netns,
      edgeUrl,
      args,
      stateDir: join(folder, name),
    });
    return { name, machine, runner };
  };
  const a = await place(one, 'mova', '10.78.0.1');
  const b = await place(other, 'movb', '10.78.0.2');
  const seeded = await seed(cloud.admin, { cidr, guest: await buildGuest() });
  return {
    ...cloud,
    ...seeded,
    a,
    b,
    line: async (state) => {
      await one.run('ip', ['link', 'set', 'moves', state]);
    },
    async close() {
      for (const { machine, runner } of [a, b]) {
        await runner.kill();
        await machine.run(process.execPath, [RUNNER_MAIN, 'teardown', '--state', runner.stateDir]);
      }
      await cloud.stop();
      for (const machine of machines) await machine.close();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** Runs a task with a guest's spare monitor. */
export async function withMonitor<T>(
  { runner }: Place,
  id: string,
  task: (monitor: QmpClient) => Promise<T>,
): Promise<T> {
  const monitor = await QmpClient.connect(join(runner.stateDir, 'guests', id, 'run/monitor2'));
  try {
    return await task(monitor);
  } finally {
    monitor.close();
  }
}

/** Where a guest has a process, and what QEMU says of it. */
export async function copiesOf(cloud: MoveCloud, id: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const place of [cloud.a, cloud.b]) {
    if (!(await guestsOn(place.machine)).has(id)) continue;
    const status = withMonitor(place, id, (monitor) => monitor.execute<{ status: string }>('query-status'));
    found[place.name] = await status.then((one) => one.status).catch(() => 'ending');
  }
  return found;
}

/** How far the memory of a guest that is sent has come; null before. */
export const memorySent = (place: Place, id: string) =>
  withMonitor(place, id, (monitor) =>
    monitor.execute<{ status?: string; ram?: { transferred: number } }>('query-migrate'),
  ).then(({ status, ram }) => (status === 'active' ? (ram?.transferred ?? 0) : null));

/** Has a guest's memory go slowly, so that there is a middle to strike. */
export const slowly = (place: Place, id: string, bytes_s: number) =>
  withMonitor(place, id, (monitor) => monitor.execute('migrate-set-parameters', { 'max-bandwidth': bytes_s }));

export interface Move {
  status: string;
  phase: string;
}
export async function lastMove({ edge }: MoveCloud, id: string): Promise<Move> {
  const [row] = await edge.db.all<Move>(
    sql`SELECT status, phase FROM server_migrations WHERE server_id = ${id} ORDER BY number DESC LIMIT 1`,
  );
  return row ?? { status: '', phase: '' };
}

export const moveReaches = (cloud: MoveCloud, id: string, what: Partial<Move>) =>
  until(`a move ${JSON.stringify(what)}`, WAIT_MS, async () => {
    const now = await lastMove(cloud, id);
    return Object.entries(what).every(([key, value]) => now[key as keyof Move] === value);
  });

/** A console's file, readable also after its machine has let go of the guest. */
export class Console {
  readonly #file: number;
  constructor({ runner }: Place, id: string) {
    this.#file = openSync(join(runner.stateDir, 'guests', id, 'console.log'), 'r');
  }
  get size(): number {
    return fstatSync(this.#file).size;
  }
  read(): string {
    const buffer = Buffer.alloc(this.size);
    readSync(this.#file, buffer, 0, buffer.length, 0);
    return buffer.toString();
  }
  close(): void {
    closeSync(this.#file);
  }
}
