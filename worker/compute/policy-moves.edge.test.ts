import { eq, sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import { serverMigrations } from '../../db/schema/server-migrations.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

/** What changes a server's size or machine. */
export type MoveAction = Extract<
  ComputeAction,
  | `os_compute_api:servers:${'resize' | 'confirm_resize' | 'revert_resize' | `migrations:${string}`}`
  | `os_compute_api:${'os-migrate-server' | 'os-migrations' | 'os-evacuate'}${string}`
>;

const ROOM = {
  ...{ vcpus: 1_000, memoryMib: 512_000, diskGib: 1_000 },
  ...{ vcpusAllocatable: 1_000, memoryMibAllocatable: 512_000, diskGibAllocatable: 1_000 },
};
let large = '';
const t = new ComputeTrials(async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({ name: 'one', ...ROOM });
  await cloud.addRunner({ name: 'two', ...ROOM });
  large = await cloud.addFlavor({ vcpus: 2 });
  return cloud;
});
const resize = async () => t.action({ resize: { flavorRef: large } })();
/** As if it had been resized on its host. */
const resized = async (cloud: ComputeCloud, id: string) => {
  await cloud.act(id, { migrate: null }, cloud.admin);
  await cloud.ctx.db.run(
    sql`UPDATE servers SET vm_state = 'resized', task_state = NULL, task_deadline_ms = NULL WHERE id = ${id}`,
  );
  await cloud.ctx.db
    .update(serverMigrations)
    .set({ phase: 'held', status: 'finished', held: 'old' })
    .where(eq(serverMigrations.serverId, id));
};
const LIVE = { 'os-migrateLive': { host: null, block_migration: 'auto' } };
const live = (cloud: ComputeCloud, id: string) =>
  cloud.answer('POST', `/servers/${id}/action`, { body: LIVE, as: cloud.admin, version: '2.90', status: 202 });
/** A call about a live migration that goes on. */
const onMigration = (method: string, path: string, body?: unknown) => async () => {
  const id = await t.cloud.createActive();
  await live(t.cloud, id);
  const [row] = await t.cloud.ctx.db.select().from(serverMigrations).where(eq(serverMigrations.serverId, id));
  await t.cloud.ctx.db.update(serverMigrations).set({ status: 'running' }).where(eq(serverMigrations.serverId, id));
  return t.call(method, `/servers/${id}/migrations/${row?.number}${path}`, body);
};
/** A server's host is dead, as an operator says, and lives again for the next. */
const evacuate = async () => {
  const { cloud } = t;
  await cloud.ctx.db.update(runners).set({ forcedDown: false }).where(eq(runners.region, cloud.region));
  const id = await cloud.createActive();
  await cloud.ctx.db
    .update(runners)
    .set({ forcedDown: true })
    .where(eq(runners.id, (await cloud.row(id)).runnerId ?? ''));
  return t.call('POST', `/servers/${id}/action`, { evacuate: {} });
};

describePolicy<MoveAction>('compute, moves', t.cast, {
  'os_compute_api:servers:resize': trial('member', 202, resize),
  'os_compute_api:servers:confirm_resize': trial('member', 204, t.action({ confirmResize: null }, { before: resized })),
  'os_compute_api:servers:revert_resize': trial('member', 202, t.action({ revertResize: null }, { before: resized })),
  'os_compute_api:os-migrate-server:migrate': trial('admin', 202, t.action({ migrate: null })),
  'os_compute_api:os-migrate-server:migrate:host': trial('admin', 202, async () => {
    const id = await t.cloud.createActive();
    const { runnerId } = await t.cloud.row(id);
    const other = (await t.cloud.runner(runnerId ?? '')).name === 'one' ? 'two' : 'one';
    return t.call('POST', `/servers/${id}/action`, { migrate: { host: other } });
  }),
  'os_compute_api:os-migrate-server:migrate_live': trial('admin', 202, t.action(LIVE)),
  'os_compute_api:servers:migrations:index': trial(
    'admin',
    200,
    t.onServer('GET', '/migrations', undefined, { before: live }),
  ),
  'os_compute_api:servers:migrations:show': trial('admin', 200, onMigration('GET', '')),
  'os_compute_api:servers:migrations:delete': trial('admin', 202, onMigration('DELETE', '')),
  // The host is not there to answer.
  'os_compute_api:servers:migrations:force_complete': trial(
    'admin',
    503,
    onMigration('POST', '/action', { force_complete: null }),
  ),
  'os_compute_api:os-migrations:index': trial('admin', 200, t.at('GET', '/os-migrations')),
  'os_compute_api:os-evacuate': trial('admin', 200, evacuate),
});
