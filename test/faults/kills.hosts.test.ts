import { setTimeout as delay } from 'node:timers/promises';
import { type SQL, sql } from 'drizzle-orm';
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

const RUNNERS = 2;
/** Creates that a kill strikes at once, each at another age, and as many deletes. */
const JOURNEYS = 12;
const STEP_MS = 16;
/** How long a simulated guest boots, so that a kill meets some in the middle of it. */
const BOOT_MS = 40;
const MOMENT_TIMEOUT_MS = 60_000;

let cloud: FaultCloud;
let runners: RunnerProcess;

beforeAll(async () => {
  cloud = await startFaultCloud();
  runners = await cloud.runners({
    hypervisor: 'simulated',
    count: RUNNERS,
    args: ['--boot-delay-ms', String(BOOT_MS)],
  });
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
  await until(`${victim} started again`, MOMENT_TIMEOUT_MS, async () => {
    const now = cloud.edge[victim].pid();
    return now !== undefined && now !== pid;
  });
}

interface Strike {
  victim: Victim;
  /** What the names of its servers begin with. */
  round: string;
  doomed: readonly string[];
}

const counted = async (condition: SQL) =>
  (await cloud.edge.db.all<{ n: number }>(sql`SELECT count(*) AS n FROM servers WHERE ${condition}`))[0]?.n ?? 0;
const oneOf = (ids: readonly string[]) => sql`id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;

/** When the victim is killed: requests of every age are open, and so much of what they ask for is begun or done. */
const MOMENTS: Record<string, (strike: Strike) => Promise<boolean>> = {
  'as requests come': async () => true,
  'once the first server is placed': async ({ round }) => (await counted(sql`name LIKE ${`${round}-%`}`)) > 0,
  'once half of the servers are made': async ({ round }) =>
    (await counted(sql`name LIKE ${`${round}-%`} AND vm_state = 'active'`)) >= JOURNEYS / 2,
  'once the first delete is begun': async ({ doomed }) =>
    (await counted(sql`${oneOf(doomed)} AND (task_state = 'deleting' OR deleted_at_ms IS NOT NULL)`)) > 0,
  'once half of the deletes are done': async ({ doomed }) =>
    (await counted(sql`${oneOf(doomed)} AND deleted_at_ms IS NOT NULL`)) >= JOURNEYS / 2,
};

/** Begins creates and deletes one after another, kills the victim at the moment, and asks again as a client would. */
async function run(strike: Strike, moment: string): Promise<Map<string, string | null>> {
  const { victim, round, doomed } = strike;
  /** By name: the id that the client was told, or null where it heard nothing. */
  const created = new Map<string, string | null>();
  const journeys = Array.from({ length: JOURNEYS }, async (_, index) => {
    await delay(index * STEP_MS);
    const name = `${round}-${index}`;
    created.set(name, null);
    const create = createServer(cloud, name).then((id) => created.set(name, id));
    await Promise.allSettled([create, deleteServer(cloud.admin, doomed[index] ?? '')]);
  });
  await delay(JOURNEYS * STEP_MS);
  await until(moment, MOMENT_TIMEOUT_MS, async () => (await MOMENTS[moment]?.(strike)) ?? false);
  await kill(victim);
  await Promise.all(journeys);
  await edgeAnswers(cloud);
  for (const id of doomed) await deleteForSure(cloud.admin, id);
  return created;
}

/** As many servers as a strike deletes. */
async function topUp(servers: readonly string[], round: string): Promise<string[]> {
  await until('connected runners', MOMENT_TIMEOUT_MS, async () => {
    const [row] = await cloud.edge.db.all<{ n: number }>(sql`SELECT sum(connected) AS n FROM runners`);
    return row?.n === RUNNERS;
  });
  const missing = Array.from(
    { length: Math.max(0, JOURNEYS - servers.length) },
    (_, index) => `${round}-more-${index}`,
  );
  const made = await Promise.all(missing.map((name) => createServer(cloud, name)));
  await settled(cloud);
  return [...servers, ...made];
}

async function check(
  created: Map<string, string | null>,
  deleted: readonly string[],
  context: string,
): Promise<string[]> {
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
  for (const [index, moment] of Object.keys(MOMENTS).entries()) {
    for (const victim of ['workerd', 'database', 'runner'] as const) {
      const round = `${victim}${index}`;
      const doomed = await topUp(servers, round);
      const context = `${victim} killed ${moment}, ages 0 to ${JOURNEYS} x ${STEP_MS} ms and more`;
      servers = await check(await run({ victim, round, doomed }, moment), doomed, context);
    }
  }
  for (const id of servers) await deleteServer(cloud.admin, id);
  expect(await check(new Map(), servers, 'the end')).toEqual([]);
});
