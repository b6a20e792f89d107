import { and, eq, sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { desired, operations, runners } from '../../../db/schema/fleet.ts';
import { ports } from '../../../db/schema/network.ts';
import { quotas } from '../../../db/schema/quotas.ts';
import { serverMigrations } from '../../../db/schema/server-migrations.ts';
import type { Observation } from '../../../shared/protocol/messages.ts';
import type { ServerSpec } from '../../../shared/specs/server.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { recordObserved } from '../../fleet/link/record-observed.ts';
import { watchMoves } from './watch-moves.ts';

const CLAIM = { vcpus: 1, memoryMib: 512, diskGib: 1 };
const NONE = { vcpus: 0, memoryMib: 0, diskGib: 0 };

let cloud: ComputeCloud;
let a: string;
let b: string;
let large: string;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
  a = await cloud.addRunner({ name: 'a' });
  b = await cloud.addRunner({ name: 'b', state: 'disabled' });
  large = await cloud.addFlavor({ vcpus: 2, ramMib: 1024, diskGib: 2 });
});

const enable = async (id: string, state: 'enabled' | 'disabled' = 'enabled') => {
  await cloud.ctx.db.update(runners).set({ state }).where(eq(runners.id, id));
};
/** A server that runs on `a`, with `b` ready to take more. */
async function onA(): Promise<string> {
  const { networkId } = await cloud.addNetwork();
  const id = await cloud.createActive({ networks: [{ uuid: networkId }] });
  await enable(b);
  return id;
}
const wishAt = async (runnerId: string, id: string) => {
  const [row] = await cloud.ctx.db
    .select()
    .from(desired)
    .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'server'), eq(desired.id, id)));
  return row as (typeof desired.$inferSelect & { spec: ServerSpec | null }) | undefined;
};
const sees = async (runnerId: string, id: string, of: Omit<Observation, 'kind' | 'id' | 'generation'>) => {
  const wish = await wishAt(runnerId, id);
  if (!wish) throw new Error('nothing is wished');
  await recordObserved(cloud.ctx, runnerId, [{ kind: 'server', id, generation: wish.generation, ...of }]);
};
const moveOf = async (id: string) => {
  const [row] = await cloud.ctx.db
    .select()
    .from(serverMigrations)
    .where(eq(serverMigrations.serverId, id))
    .orderBy(sql`number DESC`);
  if (!row) throw new Error('no move');
  return row;
};
const ready = async (id: string, runnerId = b) => {
  const { uuid } = await moveOf(id);
  const incoming = { move_id: uuid, address: '192.0.2.2', disk_port: 49_152, memory_port: 49_153 };
  await sees(runnerId, id, { state: 'working', detail: { incoming } });
};
const openOperation = async (id: string) => {
  const [row] = await cloud.ctx.db
    .select()
    .from(operations)
    .where(and(eq(operations.targetId, id), eq(operations.state, 'queued')));
  return row;
};
const sent = async (id: string, state: 'done' | 'failed' = 'done') => {
  const operation = await openOperation(id);
  if (!operation) throw new Error('nothing is asked');
  await cloud.ended(
    operation.runnerId,
    operation.opId,
    state,
    ...(state === 'failed' ? [{ code: 504, message: 'The line was cut.' }] : []),
  );
};
const claims = async (runnerId: string) => {
  const { vcpusClaimed, memoryMibClaimed, diskGibClaimed } = await cloud.runner(runnerId);
  return { vcpus: vcpusClaimed, memoryMib: memoryMibClaimed, diskGib: diskGibClaimed };
};
const portHosts = async (id: string) =>
  (await cloud.ctx.db.select().from(ports).where(eq(ports.deviceId, id))).map(({ runnerId }) => runnerId);
const portWishes = async (runnerId: string) =>
  (
    await cloud.ctx.db
      .select()
      .from(desired)
      .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, 'port'), eq(desired.deleted, false)))
  ).length;
const live = (id: string, host: string | null = null) =>
  cloud.act(id, { 'os-migrateLive': { host, block_migration: true, disk_over_commit: false } }, cloud.admin);
const actionOf = async (id: string, name: string) => {
  const { instanceActions } = await cloud.answer<{
    instanceActions: { action: string; message: string | null; request_id: string }[];
  }>('GET', `/servers/${id}/os-instance-actions`, { version: '2.90' });
  return instanceActions.find(({ action }) => action === name);
};

describe('a live migration', () => {
  it('has the target make ready, the source send, and one batch say whose the server is', async () => {
    const id = await onA();
    await live(id);
    expect(await cloud.show(id)).toMatchObject({ status: 'MIGRATING', 'OS-EXT-STS:task_state': 'migrating' });
    expect((await wishAt(b, id))?.spec).toMatchObject({ epoch: 2, incoming: { what: 'memory', key: '' } });
    expect((await wishAt(a, id))?.spec).toMatchObject({ epoch: 1, incoming: null });
    expect([await claims(a), await claims(b)]).toEqual([CLAIM, CLAIM]);
    expect([await portWishes(a), await portWishes(b), await portHosts(id)]).toEqual([1, 1, [a]]);
    await ready(id);
    const operation = await openOperation(id);
    expect(operation).toMatchObject({
      runnerId: a,
      kind: 'send-guest',
      targetEpoch: 1,
      args: { epoch: 2, address: '192.0.2.2', disk_port: 49_152 },
    });
    // A repeat asks for nothing more.
    await ready(id);
    await sent(id);
    expect(await openOperation(id)).toBeUndefined();
    expect(await cloud.row(id)).toMatchObject({ runnerId: b, epoch: 2, vmState: 'active', taskState: null });
    expect((await wishAt(b, id))?.spec).toMatchObject({ epoch: 2, incoming: null, power: 'on' });
    expect(await wishAt(a, id)).toMatchObject({ deleted: true });
    expect([await portWishes(a), await portWishes(b), await portHosts(id)]).toEqual([0, 1, [b]]);
    expect([await claims(a), await claims(b)]).toEqual([CLAIM, CLAIM]);
    await sees(a, id, { state: 'absent' });
    expect([await claims(a), await claims(b)]).toEqual([NONE, CLAIM]);
    expect(await cloud.row(id)).toMatchObject({ runnerId: b, vmState: 'active', deletedAtMs: null });
    expect(await moveOf(id)).toMatchObject({ status: 'completed', phase: 'ended' });
    expect(await actionOf(id, 'live-migration')).toMatchObject({ message: null });
  });

  it.each([
    ['a service of the machine that dials', { address: '127.0.0.1' }],
    ['that machine by its other name', { address: '::ffff:127.0.0.1' }],
    ['whoever listens', { address: '224.0.0.1' }],
    ['a port that is not for moves', { disk_port: 22 }],
    ['another one', { memory_port: 8774 }],
  ])('sends nothing to %s', async (_what, place) => {
    const id = await onA();
    await live(id);
    const { uuid } = await moveOf(id);
    const incoming = { move_id: uuid, address: '192.0.2.2', disk_port: 49_152, memory_port: 49_153, ...place };
    await sees(b, id, { state: 'working', detail: { incoming } });
    expect(await openOperation(id)).toBeUndefined();
    expect(await moveOf(id)).toMatchObject({ phase: 'preparing' });
  });

  it('leaves the server where it is when it fails, in an epoch above the target, and counts nothing twice', async () => {
    const id = await onA();
    await live(id, 'b');
    await ready(id);
    const operation = await openOperation(id);
    await sent(id, 'failed');
    await cloud.ended(a, operation?.opId ?? '', 'done');
    expect(await cloud.row(id)).toMatchObject({ runnerId: a, epoch: 3, vmState: 'active', taskState: null });
    expect((await wishAt(a, id))?.spec).toMatchObject({ epoch: 3, power: 'on' });
    expect(await wishAt(b, id)).toMatchObject({ deleted: true });
    expect(await moveOf(id)).toMatchObject({ status: 'error', phase: 'ending' });
    await sees(b, id, { state: 'absent' });
    await recordObserved(cloud.ctx, b, [{ kind: 'server', id, generation: 99, state: 'absent' }]);
    expect([await claims(a), await claims(b), await portWishes(b)]).toEqual([CLAIM, NONE, 0]);
    expect(await cloud.row(id)).toMatchObject({ runnerId: a, deletedAtMs: null });
    expect(await actionOf(id, 'live-migration')).toMatchObject({ message: 'Error' });
    // And it can move again, in an epoch that nobody has seen.
    await live(id);
    expect(await moveOf(id)).toMatchObject({ epoch: 4, phase: 'preparing' });
  });

  it('is given up when the target cannot make ready, when its time is over, and when an operator says so', async () => {
    const id = await onA();
    await live(id);
    await sees(b, id, { state: 'failed', fault: { code: 507, message: 'No space is left on the machine' } });
    expect(await moveOf(id)).toMatchObject({ status: 'error' });
    await sees(b, id, { state: 'absent' });
    await live(id);
    await cloud.ctx.db.update(serverMigrations).set({ deadlineMs: 1 }).where(eq(serverMigrations.serverId, id));
    await watchMoves(cloud.ctx);
    expect(await moveOf(id)).toMatchObject({ status: 'error', phase: 'ending' });
    await sees(b, id, { state: 'absent' });
    await live(id);
    await ready(id);
    const { number } = await moveOf(id);
    const path = `/servers/${id}/migrations/${number}`;
    const { migration } = await cloud.answer<{ migration: Record<string, unknown> }>('GET', path, {
      as: cloud.admin,
      version: '2.80',
    });
    expect(migration).toMatchObject({
      status: 'running',
      source_compute: 'a',
      dest_compute: 'b',
      memory_total_bytes: 0,
    });
    await cloud.answer('DELETE', path, { as: cloud.admin, version: '2.80', status: 202 });
    expect(await moveOf(id)).toMatchObject({ status: 'cancelled', phase: 'ending' });
    expect((await cloud.call('GET', path, { as: cloud.admin, version: '2.80' })).status).toBe(404);
    for (const method of ['GET', 'DELETE']) {
      const none = `/servers/${id}/migrations/no-number`;
      expect((await cloud.call(method, none, { as: cloud.admin, version: '2.80' })).status).toBe(404);
    }
    expect(await cloud.row(id)).toMatchObject({ runnerId: a, taskState: null, vmState: 'active' });
  });

  it('is refused to the host that it is on, to one that is not there, and without its disk', async () => {
    const id = await onA();
    const refusal = async (of: object) => {
      const body = { 'os-migrateLive': { host: null, block_migration: true, disk_over_commit: false, ...of } };
      const response = await cloud.call('POST', `/servers/${id}/action`, { body, as: cloud.admin });
      return [
        response.status,
        Object.values((await response.json()) as Record<string, { message: string }>)[0]?.message,
      ];
    };
    expect(await refusal({ host: 'a' })).toEqual([400, `Unable to migrate instance (${id}) to current host (a).`]);
    expect(await refusal({ host: 'nowhere' })).toEqual([400, 'Compute host nowhere could not be found.']);
    expect((await refusal({ block_migration: false }))[1]).toMatch(/is not on shared storage/);
    expect(await claims(b)).toEqual(NONE);
  });

  it('ends with the server: a delete in the middle frees both machines', async () => {
    const id = await onA();
    await live(id);
    await ready(id);
    expect((await cloud.call('DELETE', `/servers/${id}`)).status).toBe(204);
    expect([(await wishAt(a, id))?.deleted, (await wishAt(b, id))?.deleted]).toEqual([true, true]);
    await sees(b, id, { state: 'absent' });
    expect(await cloud.row(id)).toMatchObject({ deletedAtMs: null });
    await sees(a, id, { state: 'absent' });
    expect(await cloud.row(id)).toMatchObject({ vmState: 'deleted' });
    expect([await claims(a), await claims(b)]).toEqual([NONE, NONE]);
  });
});

describe('a resize', () => {
  const BOTH = { vcpus: 3, memoryMib: 1536, diskGib: 3 };
  const LARGE = { vcpus: 2, memoryMib: 1024, diskGib: 2 };
  const resize = (id: string) => cloud.act(id, { resize: { flavorRef: large } });

  it('can change how the disk is laid out', async () => {
    const id = await onA();
    await cloud.act(id, { resize: { flavorRef: large, 'OS-DCF:diskConfig': 'AUTO' } });
    expect(await cloud.row(id)).toMatchObject({ diskConfig: 'AUTO' });
  });

  it('to another machine keeps the old disk until it is confirmed', async () => {
    const id = await onA();
    await enable(a, 'disabled');
    await resize(id);
    expect(await cloud.show(id)).toMatchObject({ status: 'RESIZE', 'OS-EXT-STS:task_state': 'resize_prep' });
    await ready(id);
    expect(await cloud.row(id)).toMatchObject({ taskState: 'resize_migrating' });
    expect(await openOperation(id)).toMatchObject({ kind: 'send-disk', runnerId: a });
    await sent(id);
    expect((await wishAt(a, id))?.spec).toMatchObject({ power: 'off', ports: [], epoch: 1 });
    expect((await wishAt(b, id))?.spec).toMatchObject({ power: 'on', vcpus: 2, memory_mib: 1024, epoch: 2 });
    await sees(b, id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'VERIFY_RESIZE', flavor: { ram: 1024 } });
    expect([await claims(a), await claims(b)]).toEqual([CLAIM, LARGE]);
    // What the kept copy says of itself changes nothing; what is asked of the server is told to its host alone.
    await sees(a, id, { state: 'stopped' });
    await cloud.answer('POST', `/servers/${id}/metadata`, { body: { metadata: { a: 'b' } } });
    expect((await wishAt(a, id))?.spec?.metadata.meta).toEqual({});
    expect((await cloud.show(id)).status).toBe('VERIFY_RESIZE');
    await cloud.answer('POST', `/servers/${id}/action`, { body: { confirmResize: null }, status: 204 });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE' });
    expect(await moveOf(id)).toMatchObject({ status: 'confirming' });
    await sees(a, id, { state: 'absent' });
    expect(await moveOf(id)).toMatchObject({ status: 'confirmed', phase: 'ended' });
    expect([await claims(a), await claims(b)]).toEqual([NONE, LARGE]);
  });

  it('to another machine is reverted to what and where it was', async () => {
    const id = await onA();
    await enable(a, 'disabled');
    await resize(id);
    await ready(id);
    await sent(id);
    await sees(b, id, { state: 'running' });
    await cloud.act(id, { revertResize: null });
    expect(await cloud.show(id)).toMatchObject({ status: 'REVERT_RESIZE', flavor: { ram: 512 } });
    expect((await wishAt(a, id))?.spec).toMatchObject({
      power: 'on',
      epoch: 3,
      vcpus: 1,
      memory_mib: 512,
      ports: [expect.any(String)],
    });
    expect([await portHosts(id), await portWishes(a), await portWishes(b)]).toEqual([[a], 1, 0]);
    await sees(b, id, { state: 'absent' });
    await sees(a, id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE' });
    expect(await cloud.row(id)).toMatchObject({ runnerId: a, epoch: 3 });
    expect([await claims(a), await claims(b)]).toEqual([CLAIM, NONE]);
    expect(await moveOf(id)).toMatchObject({ status: 'reverted', phase: 'ended' });
    expect(await actionOf(id, 'revertResize')).toMatchObject({ message: null });
  });

  it('on its own machine holds both claims, and reverts with the disk as it was', async () => {
    const id = await onA();
    await enable(b, 'disabled');
    await resize(id);
    expect((await wishAt(a, id))?.spec).toMatchObject({ epoch: 2, vcpus: 2, old_disk: 'keep', incoming: null });
    expect(await claims(a)).toEqual(BOTH);
    await sees(a, id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('VERIFY_RESIZE');
    await cloud.act(id, { revertResize: null });
    expect((await wishAt(a, id))?.spec).toMatchObject({ epoch: 3, vcpus: 1, old_disk: 'restore' });
    await sees(a, id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
    expect(await claims(a)).toEqual(CLAIM);
    await resize(id);
    await sees(a, id, { state: 'running' });
    await cloud.answer('POST', `/servers/${id}/action`, { body: { confirmResize: null }, status: 204 });
    expect((await wishAt(a, id))?.spec?.old_disk).toBeNull();
    expect(await claims(a)).toEqual(LARGE);
    expect(await moveOf(id)).toMatchObject({ status: 'confirmed', phase: 'ended' });
  });

  it('holds the larger of both sizes of its quota until it is settled', async () => {
    const first = await onA();
    await enable(b, 'disabled');
    const second = await onA();
    const { projectId } = cloud.user;
    const limits = { cores: 3 };
    await cloud.ctx.db.insert(quotas).values({ region: cloud.ctx.region, projectId, userId: '', limits });
    const to = (id: string, flavorRef: string) =>
      cloud.call('POST', `/servers/${id}/action`, { body: { resize: { flavorRef } } });
    const refused = async (answer: Response) => [answer.status, JSON.stringify(await answer.json())];
    const why = (used: number) => [
      403,
      expect.stringContaining(`Quota exceeded for cores: Requested 1, but already used ${used} of 3 cores`),
    ];
    await enable(a, 'disabled');
    expect((await to(first, large)).status).toBe(202);
    // It has not moved yet, and the room is not another's.
    expect(await refused(await to(second, large))).toEqual(why(3));
    await ready(first);
    await sent(first);
    await sees(b, first, { state: 'running' });
    await cloud.act(first, { revertResize: null });
    await sees(a, first, { state: 'running' });
    expect((await to(second, large)).status).toBe(202);
    await ready(second);
    await sent(second);
    await sees(b, second, { state: 'running' });
    await cloud.answer('POST', `/servers/${second}/action`, { body: { confirmResize: null }, status: 204 });
    // Smaller now, but it may yet be brought back.
    const small = await cloud.addFlavor({ vcpus: 1, ramMib: 512, diskGib: 2 });
    expect((await to(second, small)).status).toBe(202);
    await sees(b, second, { state: 'running' });
    expect(await cloud.refusal({})).toEqual(why(3));
    await cloud.answer('POST', `/servers/${second}/action`, { body: { confirmResize: null }, status: 204 });
    await cloud.create();
  });

  it('is confirmed after the time that the operator gives', async () => {
    const id = await onA();
    await resize(id);
    const at = (await moveOf(id)).targetRunnerId;
    if (at === b) {
      await ready(id);
      await sent(id);
    }
    await sees(at, id, { state: 'running' });
    await watchMoves(cloud.ctx);
    expect((await cloud.show(id)).status).toBe('VERIFY_RESIZE');
    await cloud.ctx.db.update(serverMigrations).set({ updatedAtMs: 1 }).where(eq(serverMigrations.serverId, id));
    await watchMoves({ ...cloud.ctx, env: { ...cloud.ctx.env, RESIZE_CONFIRM_S: '60' } });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it('is refused to the same flavor, to none, to a smaller disk, and without room', async () => {
    const id = await onA();
    const refusal = async (flavorRef: string) => {
      const response = await cloud.call('POST', `/servers/${id}/action`, { body: { resize: { flavorRef } } });
      return [
        response.status,
        Object.values((await response.json()) as Record<string, { message: string }>)[0]?.message,
      ];
    };
    expect(await refusal(cloud.flavorId)).toEqual([400, 'When resizing, instances must change flavor!']);
    expect(await refusal('nothing')).toEqual([400, 'Flavor nothing could not be found.']);
    expect((await refusal(await cloud.addFlavor({ diskGib: 0 })))[1]).toBe(
      'Resize to zero disk flavor is not allowed.',
    );
    expect((await refusal(await cloud.addFlavor({ vcpus: 900 })))[1]).toMatch(
      /^No valid host was found\. 2 hosts: 2 too few vCPUs/,
    );
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });
});

it('lists migrations by filters and pages', async () => {
  const id = await onA();
  await live(id);
  await ready(id);
  await sent(id);
  await sees(a, id, { state: 'absent' });
  await cloud.act(id, { migrate: null }, cloud.admin);
  const list = async (query: string, version = '2.80') =>
    await cloud.answer<{
      migrations: { migration_type: string; uuid: string }[];
      migrations_links?: { href: string }[];
    }>('GET', `/os-migrations${query}`, { as: cloud.admin, version });
  expect((await list('')).migrations.map((one) => one.migration_type)).toEqual(['migration', 'live-migration']);
  expect((await list('?migration_type=migration')).migrations).toHaveLength(1);
  expect((await list('?status=completed&host=b')).migrations).toHaveLength(1);
  expect((await list(`?instance_uuid=${crypto.randomUUID()}`)).migrations).toEqual([]);
  const first = await list('?limit=1');
  expect(first.migrations_links?.[0]?.href).toContain(`marker=${first.migrations[0]?.uuid}`);
  expect((await list(`?limit=1&marker=${first.migrations[0]?.uuid}`)).migrations[0]?.migration_type).toBe(
    'live-migration',
  );
  const [oldest] = (await list('', '2.1')).migrations;
  expect(Object.keys(oldest ?? {}).sort()).toEqual([
    'created_at',
    'dest_compute',
    'dest_host',
    'dest_node',
    'id',
    'instance_uuid',
    'new_instance_type_id',
    'old_instance_type_id',
    'source_compute',
    'source_node',
    'status',
    'updated_at',
  ]);
});

describe('an evacuation', () => {
  const evacuate = (id: string) =>
    cloud.call('POST', `/servers/${id}/action`, { body: { evacuate: {} }, as: cloud.admin, version: '2.90' });
  const forceDown = async (id: string, forcedDown = true) => {
    await cloud.ctx.db.update(runners).set({ forcedDown }).where(eq(runners.id, id));
  };

  it('is refused while nobody says that the host is dead, however long it is unheard', async () => {
    const id = await onA();
    await cloud.ctx.db.update(runners).set({ connected: false, leaseExpiresAtMs: 1 }).where(eq(runners.id, a));
    const response = await evacuate(id);
    expect(response.status).toBe(400);
    expect(await response.text()).toContain('Compute service of a is still in use.');
    expect((await cloud.row(id)).runnerId).toBe(a);
  });

  it('builds the server anew elsewhere in a higher epoch, and has the old host let go of it when it returns', async () => {
    const id = await onA();
    await forceDown(a);
    expect((await evacuate(id)).status).toBe(200);
    expect(await cloud.show(id)).toMatchObject({ status: 'REBUILD' });
    expect((await wishAt(b, id))?.spec).toMatchObject({ epoch: 2, power: 'on', incoming: null });
    expect(await wishAt(a, id)).toMatchObject({ deleted: true });
    expect([await portHosts(id), await portWishes(a), await portWishes(b)]).toEqual([[b], 0, 1]);
    // What the old host still says changes nothing.
    await recordObserved(cloud.ctx, a, [{ kind: 'server', id, generation: 1, state: 'running' }]);
    expect((await cloud.row(id)).taskState).toBe('rebuild_spawning');
    await sees(b, id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE' });
    expect(await moveOf(id)).toMatchObject({ type: 'evacuation', status: 'done', phase: 'ending' });
    expect([await claims(a), await claims(b)]).toEqual([CLAIM, CLAIM]);
    await sees(a, id, { state: 'absent' });
    expect([await claims(a), await claims(b)]).toEqual([NONE, CLAIM]);
    expect(await moveOf(id)).toMatchObject({ phase: 'ended' });
    expect(await cloud.row(id)).toMatchObject({ runnerId: b, deletedAtMs: null });
    expect(await actionOf(id, 'evacuate')).toMatchObject({ message: null });
  });

  it('finds what the server was made of though its host was removed', async () => {
    const id = await onA();
    const { status } = await call('DELETE', `/r/${cloud.region}/aerostat/v1/runners/a?force=true`, {
      token: cloud.admin.token,
    });
    expect(status).toBe(204);
    expect(await cloud.show(id)).toMatchObject({ status: 'ERROR' });
    expect((await evacuate(id)).status).toBe(200);
    await sees(b, id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE' });
    expect(await moveOf(id)).toMatchObject({ status: 'done', phase: 'ended' });
    expect(await wishAt(a, id)).toBeUndefined();
    expect(await claims(b)).toEqual(CLAIM);
  });
});

describe('a machine that is given up', () => {
  const give = async (name: string) =>
    (await call('DELETE', `/r/${cloud.region}/aerostat/v1/runners/${name}?force=true`, { token: cloud.admin.token }))
      .status;

  it('as the target of a move leaves the server where it is', async () => {
    const id = await onA();
    await live(id);
    await ready(id);
    expect(await give('b')).toBe(204);
    expect(await moveOf(id)).toMatchObject({ status: 'error', phase: 'ended', held: null });
    expect((await wishAt(a, id))?.spec).toMatchObject({ epoch: 3 });
    expect(await cloud.row(id)).toMatchObject({ runnerId: a, vmState: 'active', taskState: null });
  });

  it('as the source has the target let go of what had not come whole', async () => {
    const id = await onA();
    await live(id);
    await ready(id);
    expect(await give('a')).toBe(204);
    expect(await wishAt(b, id)).toMatchObject({ deleted: true });
    await sees(b, id, { state: 'absent' });
    expect([await claims(b), (await moveOf(id)).phase]).toEqual([NONE, 'ended']);
    expect(await cloud.show(id)).toMatchObject({ status: 'ERROR' });
  });
});
