import { readFileSync } from 'node:fs';
import { sql } from 'drizzle-orm';
import { servers } from '../../db/schema/compute.ts';
import { networks, ports } from '../../db/schema/network.ts';
import { pause } from '../../runner/host/wait.ts';
import { WINDOW_MS } from '../../shared/meters.ts';
import type { Sample, SampleBatch } from '../../shared/protocol/messages.ts';
import { Refusal } from '../../shared/refusal.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { SocketRunner } from '../socket-runner.ts';
import { figure } from './figures.ts';
import { benchPeers } from './peers/bench-peers.ts';
import { cpuSeconds, withDescendants } from './processes.ts';
import { benchRating } from './rating/bench-rating.ts';

const GUESTS_PER_MACHINE = 100;
const ROWS_PER_INSERT = 25;
/** Moments of ten seconds in a message of a spool that is said after an outage, and how many messages of each kind. */
const MOMENTS_PER_MESSAGE = 30;
const MESSAGES = 2;
const LIVE_MOMENTS = 3;
const SEALED_WITHIN_MS = 240_000;

interface Machine {
  runner: SocketRunner;
  servers: string[];
  ports: string[];
}

/** Parts of the benchmark; each can be asked for alone. */
const PARTS: Record<string, (args: string[]) => Promise<void>> = { samples: benchSamples, rating: benchRating };
/** Asked for by name alone: it downloads what it measures. */
const APART: typeof PARTS = { peers: benchPeers };

/**
 * What metering and billing cost: from samples to sealed windows, and from these to invoices.
 * @param args - a part and what it takes; nothing: all of them
 * @throws Refusal for a part that is none
 */
export async function benchMetering([part, ...args]: string[]): Promise<void> {
  const parts = part === undefined ? Object.values(PARTS) : [PARTS[part] ?? APART[part]];
  for (const one of parts) {
    if (!one)
      throw new Refusal(`there is no part ${part}. There is: ${Object.keys({ ...PARTS, ...APART }).join(', ')}`);
    await one(args);
  }
}

/** What taking samples and sealing their windows costs at the edge, with guests of ten meters each. */
async function benchSamples(): Promise<void> {
  for (const guests of [1_000, 10_000]) {
    const cloud = await startCloud();
    try {
      await measure(cloud, guests);
    } finally {
      await cloud.stop();
    }
  }
}

async function measure(cloud: Cloud, guests: number): Promise<void> {
  const startMs = Math.floor(Date.now() / WINDOW_MS) * WINDOW_MS - WINDOW_MS;
  const machines: Machine[] = [];
  for (let at = 0; at < guests / GUESTS_PER_MACHINE; at += 1) machines.push(await addMachine(cloud, at, startMs));
  const edge = edgeProcesses();
  let seq = 1;
  let atMs = startMs + 20_000;
  const moments = (machine: Machine, count: number, everyMs: number) =>
    Array.from({ length: count }, (_, at) => momentOf(machine, seq + at, atMs + at * everyMs));
  const timed = async (name: string, rounds: number, count: number, everyMs: number) => {
    const [began, usedBefore] = [performance.now(), cpuSeconds(edge)];
    for (let round = 0; round < rounds; round += 1) {
      for (const machine of machines) await machine.runner.metered('spool', moments(machine, count, everyMs));
      seq += count;
      atMs += count * everyMs;
    }
    const values = guests * 10 * rounds * count;
    figure(`metering_${guests}_guests_${name}`, values / ((performance.now() - began) / 1_000), 'values/s');
    return ((cpuSeconds(edge) - usedBefore) / values) * guests;
  };
  // The first of each machine asks whose its resources are, and begins their series.
  await timed('first', 1, 1, 10_000);
  await timed('spooled', MESSAGES, MOMENTS_PER_MESSAGE, 10_000);
  const perGuestS = await timed('live', LIVE_MOMENTS, 1, 10_000);
  // Ten values a guest each ten seconds: a value a second.
  figure(`metering_${guests}_guests_edge_processor`, perGuestS * 100, '%');
  // Past the end of the hour: its windows are sealed by the machines' alarms, each when it is due.
  const usedBefore = cpuSeconds(withDescendants([process.pid]));
  for (const machine of machines)
    await machine.runner.metered('spool', [momentOf(machine, seq, startMs + WINDOW_MS + 1_000)]);
  await sealed(cloud, startMs, guests * 10);
  const usedS = cpuSeconds(withDescendants([process.pid])) - usedBefore;
  figure(`metering_${guests}_guests_sealed`, (guests * 10) / usedS, 'windows/processor_s');
  for (const { runner } of machines) runner.close();
}

async function sealed(cloud: Cloud, startMs: number, wanted: number): Promise<void> {
  for (const untilMs = performance.now() + SEALED_WITHIN_MS; performance.now() < untilMs; await pause(1_000)) {
    const [row] = await cloud.edge.db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM meter_windows WHERE start_ms = ${startMs}`,
    );
    if ((row?.n ?? 0) >= wanted) return;
  }
  throw new Error(`not all of ${wanted} windows were sealed in ${SEALED_WITHIN_MS} ms`);
}

/** Six meters of a server and four of its port, each more than the last time. */
function momentOf({ servers, ports }: Machine, seq: number, atMs: number): SampleBatch {
  const samples: Sample[] = [];
  for (const [at, id] of servers.entries()) {
    const disk = { 'disk.read.bytes': seq * 4_096, 'disk.write.bytes': seq * 8_192 };
    const requests = { 'disk.read.requests': seq, 'disk.write.requests': seq * 2 };
    const values = { 'cpu.time': seq * 1_000_000, 'memory.usage': 100_000_000 + at, ...disk, ...requests };
    samples.push({ type: 'server', id, epoch: 'e', values });
    const bytes = { 'network.incoming.bytes': seq * 1_500, 'network.outgoing.bytes': seq * 3_000 };
    const packets = { 'network.incoming.packets': seq, 'network.outgoing.packets': seq * 2 };
    samples.push({ type: 'port', id: ports[at] as string, epoch: 'e', values: { ...bytes, ...packets } });
  }
  return { seq, at_ms: atMs, boot_id: 'b', samples };
}

async function addMachine(cloud: Cloud, at: number, bornMs: number): Promise<Machine> {
  const runner = await SocketRunner.join(cloud, `meter-${at}`);
  const { db } = cloud.edge;
  const row = { region: REGION, projectId: 'p', createdAtMs: bornMs, updatedAtMs: bornMs };
  const networkId = crypto.randomUUID();
  await db.insert(networks).values({ ...row, id: networkId, segmentationId: null });
  const ids = Array.from({ length: GUESTS_PER_MACHINE }, () => [crypto.randomUUID(), crypto.randomUUID()] as const);
  const size = { vcpus: 1, ramMib: 1, diskGib: 1, ephemeralGib: 0, swapMib: 0, extraSpecs: {} };
  for (let from = 0; from < ids.length; from += ROWS_PER_INSERT) {
    const some = ids.slice(from, from + ROWS_PER_INSERT);
    await db.batch([
      db.insert(servers).values(
        some.map(([id], index) => ({
          ...{ ...row, id, runnerId: runner.id, userId: 'u', name: 's', hostname: 's', imageId: 'i', zone: 'z' },
          ...{ number: at * GUESTS_PER_MACHINE + from + index + 1, flavor: { id: 'f', name: 'small', ...size } },
          ...{ reservationId: 'x', vmState: 'active' as const },
        })),
      ),
      db.insert(ports).values(some.map(([, id]) => ({ ...row, id, networkId, macAddress: id, runnerId: runner.id }))),
    ]);
  }
  return { runner, servers: ids.map(([id]) => id), ports: ids.map(([, id]) => id) };
}

/** The processes of workerd: the edge without its database. */
const edgeProcesses = (): number[] =>
  withDescendants([process.pid]).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === 'workerd';
    } catch {
      return false;
    }
  });
