import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import type { RunnerProcess } from '../cloud.ts';
import {
  createServer,
  deleteForSure,
  deleteServer,
  edgeAnswers,
  type FaultCloud,
  listServers,
  settled,
  startFaultCloud,
} from './fault-cloud.ts';
import { databaseLeaks, machineLeaks } from './leaks.ts';

/** Journeys that a kill strikes at once, each at another age. */
const JOURNEYS = 12;
const STEP_MS = 16;
const ROUNDS = 3;
/** How much older the journeys of a round are than those of the last. */
const ROUND_MS = 70;
/** How long a simulated guest boots, so that a kill meets some in the middle of it. */
const BOOT_MS = 40;

let cloud: FaultCloud;
let runners: RunnerProcess;

beforeAll(async () => {
  cloud = await startFaultCloud();
  runners = await cloud.runners({ hypervisor: 'simulated', count: 2, args: ['--boot-delay-ms', String(BOOT_MS)] });
});
afterAll(async () => cloud?.stop());

type Victim = 'workerd' | 'database' | 'runner';

/** Kills a process as a power cut would; a supervisor brings back the edge's, the test the runner's. */
async function kill(victim: Victim): Promise<void> {
  if (victim === 'runner') {
    await runners.kill();
    await runners.start({ wait: false });
    return;
  }
  const pid = cloud.edge[victim].pid();
  expect(pid).toBeDefined();
  process.kill(pid as number, 'SIGKILL');
  await until(`${victim} started again`, 30_000, async () => {
    const now = cloud.edge[victim].pid();
    return now !== undefined && now !== pid;
  });
}

interface Struck {
  /** By name: the id that the client was told, or null where it heard nothing. */
  created: Map<string, string | null>;
  deleted: string[];
}

/** Begins creates and deletes one after another and kills the victim when the oldest are STEP_MS * JOURNEYS old. */
async function strike(victim: Victim, round: string, offsetMs: number, servers: readonly string[]): Promise<Struck> {
  const created = new Map<string, string | null>();
  const deleted = servers.slice(0, JOURNEYS);
  const journeys = Array.from({ length: JOURNEYS }, async (_, index) => {
    await delay(index * STEP_MS);
    const name = `${round}-${index}`;
    created.set(name, null);
    const create = createServer(cloud, name).then((id) => created.set(name, id));
    const id = deleted[index];
    await Promise.allSettled([create, ...(id ? [deleteServer(cloud.admin, id)] : [])]);
  });
  await delay(JOURNEYS * STEP_MS + offsetMs);
  await kill(victim);
  await Promise.all(journeys);
  await edgeAnswers(cloud);
  // A client that heard nothing asks again.
  for (const id of deleted) await deleteForSure(cloud.admin, id);
  return { created, deleted };
}

async function check({ created, deleted }: Struck, context: string): Promise<string[]> {
  await settled(cloud);
  const servers = await listServers(cloud.admin);
  for (const [name, id] of created) {
    const found = servers.filter((server) => server.name === name);
    expect(found.length, `${context}: servers named ${name}`).toBeLessThanOrEqual(1);
    if (id !== null) expect(found[0]?.id, `${context}: ${name} was promised`).toBe(id);
  }
  for (const { id, name, status, fault } of servers) {
    // While a runner is dead no host takes a server, and Nova's answer to that is a server in ERROR.
    if (status === 'ERROR') expect(fault?.message, context).toMatch(/^No valid host was found\. .*not connected/);
    else expect(status, `${context}: ${name} ${id}`).toBe('ACTIVE');
  }
  const ids = servers.map(({ id }) => id);
  for (const id of deleted) expect(ids, `${context}: deleted`).not.toContain(id);
  expect(await databaseLeaks(cloud), context).toEqual({});
  expect(await machineLeaks(cloud, runners), context).toEqual([]);
  return ids;
}

it('loses nothing and does nothing twice, whichever process is killed at whatever step of a create or a delete', async () => {
  let servers: string[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const victim of ['workerd', 'database', 'runner'] as const) {
      const offsetMs = round * ROUND_MS;
      const context = `${victim} killed ${offsetMs} + 0 to ${JOURNEYS} x ${STEP_MS} ms into journeys`;
      const began = performance.now();
      servers = await check(await strike(victim, `${victim}${round}`, offsetMs, servers), context);
      console.log(`${context}: ${servers.length} servers, ${Math.round(performance.now() - began)} ms`);
    }
  }
  for (const id of servers) await deleteServer(cloud.admin, id);
  expect(await check({ created: new Map(), deleted: servers }, 'the end')).toEqual([]);
});
