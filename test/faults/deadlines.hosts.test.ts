import { sql } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { until } from '../../home/until.ts';
import type { RunnerProcess } from '../cloud.ts';
import {
  createServer,
  deleteServer,
  type FaultCloud,
  serverGone,
  serverReaches,
  settled,
  showServer,
  startFaultCloud,
} from './fault-cloud.ts';
import { databaseLeaks, machineLeaks } from './leaks.ts';

/** RegionWatch goes round every ten seconds. */
const ROUND_TIMEOUT_MS = 30_000;

let cloud: FaultCloud;
let runner: RunnerProcess;

beforeAll(async () => {
  cloud = await startFaultCloud();
  runner = await cloud.runners({ hypervisor: 'simulated' });
});
afterAll(async () => cloud?.stop());

/** As if the task had been begun long ago: the next round of RegionWatch finds it overdue. */
const expire = (id: string) =>
  cloud.edge.db.run(sql`UPDATE servers SET task_deadline_ms = 1 WHERE id = ${id} AND task_state IS NOT NULL`);

/** The runner lives, and does nothing: to the edge it looks as ever. */
const freeze = () => process.kill(runner.pid() as number, 'SIGSTOP');
const thaw = () => process.kill(runner.pid() as number, 'SIGCONT');

async function hostName(): Promise<string> {
  const [row] = await cloud.edge.db.all<{ name: string }>(sql`SELECT name FROM runners`);
  return row?.name ?? '';
}

it('ends a build whose host never comes back in ERROR, takes its delete, and finishes that when the host returns', async () => {
  freeze();
  const id = await createServer(cloud, 'abandoned');
  expect((await showServer(cloud.admin, id))?.status).toBe('BUILD');
  await runner.kill();
  await expire(id);
  const { fault } = await serverReaches(cloud.admin, id, 'ERROR');
  expect(fault?.message).toBe(
    `The server was not built in time: host ${await hostName()}, which is not connected, did not report it.`,
  );
  expect(fault?.code).toBe(500);
  await deleteServer(cloud.admin, id);
  await expire(id);
  await until('an overdue delete noticed', ROUND_TIMEOUT_MS, async () =>
    /^The server was not deleted in time: host /.test((await showServer(cloud.admin, id))?.fault?.message ?? ''),
  );
  await deleteServer(cloud.admin, id);
  await runner.start();
  await serverGone(cloud.admin, id);
  await settled(cloud);
  expect(await machineLeaks(cloud, runner)).toEqual([]);
  const { 'a server made or deleted more than once': twice, ...leaks } = await databaseLeaks(cloud);
  expect(leaks).toEqual({});
  // The client asked twice, for the first try failed.
  expect(twice).toEqual([{ server_id: id, action: 'delete', times: 2 }]);
});

it('believes a host that was late, of a build and of a stop', async () => {
  freeze();
  const id = await createServer(cloud, 'late');
  await expire(id);
  expect((await serverReaches(cloud.admin, id, 'ERROR')).fault?.message).toMatch(/which is connected, did not report/);
  thaw();
  expect((await serverReaches(cloud.admin, id, 'ACTIVE')).fault).toBeUndefined();
  freeze();
  await cloud.admin.call('compute', 'POST', `/servers/${id}/action`, { 'os-stop': null });
  await expire(id);
  expect((await serverReaches(cloud.admin, id, 'ERROR')).fault?.message).toMatch(/^The server was not stopped in time/);
  thaw();
  await serverReaches(cloud.admin, id, 'SHUTOFF');
  await deleteServer(cloud.admin, id);
  await serverGone(cloud.admin, id);
});
