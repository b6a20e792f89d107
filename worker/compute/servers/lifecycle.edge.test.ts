import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { mintActor } from '../../../test/edge-tokens.ts';
import { recordObserved } from '../../fleet/link/record-observed.ts';

interface Action {
  action: string;
  message: string | null;
  request_id: string;
}
const actionsOf = async (cloud: ComputeCloud, id: string): Promise<Action[]> =>
  (await cloud.answer<{ instanceActions: Action[] }>('GET', `/servers/${id}/os-instance-actions`, { version: '2.58' }))
    .instanceActions;
const conflictOf = async (cloud: ComputeCloud, id: string, body: unknown, as = cloud.user) => {
  const response = await cloud.call('POST', `/servers/${id}/action`, { body, as });
  expect(response.status).toBe(409);
  return ((await response.json()) as { conflictingRequest: { code: number; message: string } }).conflictingRequest
    .message;
};
const openOperations = (cloud: ComputeCloud, id: string) =>
  cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));

describe('the life of a server', () => {
  it('goes from BUILD to ACTIVE to gone, and gives back what it took', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.create();
    expect(await cloud.show(id)).toMatchObject({ status: 'BUILD', 'OS-EXT-STS:task_state': 'spawning', addresses: {} });
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 1, memoryMibClaimed: 512, diskGibClaimed: 1 });
    const wish = await cloud.wish(id);
    expect(wish?.spec).toMatchObject({ id, power: 'on', vcpus: 1, memory_mib: 512, disk_gib: 1, ports: [] });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({
      status: 'ACTIVE',
      'OS-EXT-STS:task_state': null,
      'OS-EXT-STS:power_state': 1,
    });
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'deleting' });
    expect(await cloud.wish(id)).toMatchObject({ deleted: true, spec: null });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 0, memoryMibClaimed: 0, diskGibClaimed: 0 });
    expect(await cloud.wish(id)).toBeUndefined();
    expect(await cloud.row(id)).toMatchObject({ vmState: 'deleted', taskState: null, claimedVcpus: 0 });
    expect((await actionsOf(cloud, id)).map(({ action, message }) => [action, message])).toEqual([
      ['delete', null],
      ['create', null],
    ]);
  });

  it('stops and starts, each by a change of the wish', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    const before = await cloud.wish(id);
    await cloud.act(id, { 'os-stop': null });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'powering-off' });
    const off = await cloud.wish(id);
    expect(off?.spec).toEqual({ ...before?.spec, power: 'off' });
    expect(off?.generation).toBeGreaterThan(before?.generation ?? 0);
    await cloud.observe(id, { state: 'stopped' });
    expect(await cloud.show(id)).toMatchObject({
      status: 'SHUTOFF',
      'OS-EXT-STS:power_state': 4,
      'OS-EXT-STS:task_state': null,
    });
    await cloud.act(id, { 'os-start': null });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHUTOFF', 'OS-EXT-STS:task_state': 'powering-on' });
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
    expect((await actionsOf(cloud, id)).map(({ action }) => action)).toEqual(['start', 'stop', 'create']);
  });

  it('refuses what its state does not allow, in the words of Nova', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.create();
    expect(await conflictOf(cloud, id, { 'os-stop': null })).toBe(
      `Cannot 'stop' instance ${id} while it is in vm_state building`,
    );
    await cloud.observe(id, { state: 'running' });
    expect(await conflictOf(cloud, id, { 'os-start': null })).toBe(
      `Cannot 'start' instance ${id} while it is in vm_state active`,
    );
    await cloud.act(id, { 'os-stop': null });
    expect(await conflictOf(cloud, id, { 'os-stop': null })).toBe(
      `Cannot 'stop' instance ${id} while it is in task_state powering-off`,
    );
    const wish = await cloud.wish(id);
    await conflictOf(cloud, id, { reboot: { type: 'SOFT' } });
    expect(await cloud.wish(id)).toEqual(wish);
  });

  it.each([
    ['SOFT', 'REBOOT'],
    ['hard', 'HARD_REBOOT'],
  ])('reboots %s by an operation of its own', async (type, status) => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { reboot: { type } });
    expect((await cloud.show(id)).status).toBe(status);
    const [operation] = await openOperations(cloud, id);
    expect(operation).toMatchObject({
      kind: 'reboot',
      args: { type: type.toUpperCase() },
      state: 'queued',
      runnerId,
      targetEpoch: 1,
    });
    // What the host says of the guest meanwhile ends nothing.
    await cloud.observe(id, { state: 'stopped', cause: 'crash' });
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe(status);
    await cloud.ended(runnerId, operation?.opId ?? '', 'done');
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    expect((await actionsOf(cloud, id))[0]).toMatchObject({ action: 'reboot', message: null });
  });

  it('is ACTIVE after a reboot that failed, and the action says so', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { reboot: { type: 'SOFT' } });
    const [operation] = await openOperations(cloud, id);
    await cloud.ended(runnerId, operation?.opId ?? '', 'failed', { code: 500, message: 'no answer from the guest' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
    const [action] = await actionsOf(cloud, id);
    expect(action).toMatchObject({ action: 'reboot', message: 'Error' });
    const shown = await cloud.answer<{ instanceAction: { events: unknown[] } }>(
      'GET',
      `/servers/${id}/os-instance-actions/${action?.request_id}`,
      { version: '2.84' },
    );
    expect(shown.instanceAction.events).toMatchObject([
      { event: 'compute_reboot_instance', result: 'Error', details: 'no answer from the guest' },
    ]);
  });

  it.each([
    ['crashed', { state: 'stopped', cause: 'crash', fault: { code: 500, message: 'signal 9' } }, 'ERROR'],
    ['failed', { state: 'failed', fault: { code: 500, message: 'signal 9' } }, 'ERROR'],
    ['shut itself down', { state: 'stopped', cause: 'guest' }, 'SHUTOFF'],
  ] as const)('is what the host last saw when the guest %s in a reboot that failed', async (_what, seen, status) => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { reboot: { type: 'HARD' } });
    const wish = await cloud.wish(id);
    await cloud.observe(id, seen);
    expect((await cloud.show(id)).status).toBe('HARD_REBOOT');
    // Whether it is in force is another matter.
    expect({ ...(await cloud.wish(id)), appliedGeneration: wish?.appliedGeneration }).toEqual(wish);
    const [operation] = await openOperations(cloud, id);
    await cloud.ended(runnerId, operation?.opId ?? '', 'failed', { code: 500, message: 'no' });
    const server = await cloud.show(id);
    expect([server.status, server.fault?.message]).toEqual([status, status === 'ERROR' ? 'signal 9' : undefined]);
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it('is turned on by a hard reboot when it is off', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { 'os-stop': null });
    await cloud.observe(id, { state: 'stopped' });
    expect(await conflictOf(cloud, id, { reboot: { type: 'SOFT' } })).toContain('vm_state stopped');
    await cloud.act(id, { reboot: { type: 'HARD' } });
    expect((await cloud.wish(id))?.spec?.power).toBe('on');
    const [operation] = await openOperations(cloud, id);
    await cloud.ended(runnerId, operation?.opId ?? '', 'done');
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });
});

describe('what a host reports', () => {
  it('of a guest that shut itself down becomes the wish', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    const before = await cloud.wish(id);
    await cloud.observe(id, { state: 'stopped', cause: 'guest' });
    expect(await cloud.show(id)).toMatchObject({ status: 'SHUTOFF', 'OS-EXT-STS:power_state': 4 });
    const after = await cloud.wish(id);
    expect(after?.spec?.power).toBe('off');
    expect(after?.generation).toBe((await cloud.runner(runnerId)).generation);
    expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
    // The same once more is about a wish that is no more, and raises nothing.
    await cloud.observe(id, { state: 'stopped', cause: 'guest', generation: before?.generation ?? 0 });
    expect((await cloud.runner(runnerId)).generation).toBe(after?.generation);
  });

  it('of a crash is an ERROR with what happened', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.observe(id, {
      state: 'stopped',
      cause: 'crash',
      fault: { code: 500, message: 'qemu: signal 11', details: 'tail' },
    });
    const server = await cloud.show(id);
    expect(server).toMatchObject({
      status: 'ERROR',
      fault: { code: 500, message: 'qemu: signal 11' },
      'OS-EXT-STS:power_state': 6,
    });
    expect(server.fault).not.toHaveProperty('details');
    expect((await cloud.show(id, cloud.admin)).fault).toMatchObject({ details: 'tail' });
  });

  it('of a failure is an ERROR, which ends when the host succeeds after all', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.create();
    await cloud.observe(id, { state: 'failed', fault: { code: 500, message: 'no space left on device' } });
    expect(await cloud.show(id)).toMatchObject({ status: 'ERROR', fault: { message: 'no space left on device' } });
    expect((await actionsOf(cloud, id))[0]).toMatchObject({ action: 'create', message: 'Error' });
    const { updatedAtMs } = await cloud.row(id);
    await cloud.observe(id, { state: 'failed', fault: { code: 500, message: 'no space left on device' } });
    expect((await cloud.row(id)).updatedAtMs).toBe(updatedAtMs);
    await cloud.observe(id, { state: 'running' });
    const server = await cloud.show(id);
    expect(server.status).toBe('ACTIVE');
    expect(server).not.toHaveProperty('fault');
  });

  it('leaves alone an ERROR that an operator has said', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { 'os-resetState': { state: 'error' } }, cloud.admin);
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ERROR');
    await cloud.act(id, { 'os-resetState': { state: 'active' } }, cloud.admin);
    expect((await cloud.show(id)).status).toBe('ACTIVE');
    expect(
      (await cloud.call('POST', `/servers/${id}/action`, { body: { 'os-resetState': { state: 'error' } } })).status,
    ).toBe(403);
  });

  it('counts only while it is about the wish as it is, and from the host that it is on', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.create();
    const generation = (await cloud.wish(id))?.generation ?? 0;
    await cloud.observe(id, { state: 'running', generation: generation - 1 });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.show(id)).status).toBe('BUILD');
    expect((await cloud.runner(runnerId)).vcpusClaimed).toBe(1);
    const other = await cloud.addRunner();
    await recordObserved(cloud.ctx, other, [{ kind: 'server', id, generation, state: 'running' }]);
    expect((await cloud.show(id)).status).toBe('BUILD');
    await cloud.observe(id, { state: 'running' });
    await cloud.act(id, { 'os-stop': null });
    await cloud.observe(id, { state: 'running', generation });
    await cloud.observe(id, { state: 'stopped', cause: 'crash', generation });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'powering-off' });
    await cloud.observe(id, { state: 'stopped', cause: 'crash' });
    expect((await cloud.show(id)).status).toBe('SHUTOFF');
  });

  it('of work going on gives a build its time anew', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.create();
    const { taskDeadlineMs } = await cloud.row(id);
    await cloud.observe(id, { state: 'working', detail: { progress: 40 } });
    const row = await cloud.row(id);
    expect(row.taskDeadlineMs ?? 0).toBeGreaterThan(taskDeadlineMs ?? 0);
    expect((await cloud.show(id)).progress).toBe(40);
  });
});

it('a guest that shuts itself down while it is deleted changes no wish', async () => {
  const cloud = await ComputeCloud.open();
  const runnerId = await cloud.addRunner();
  const id = await cloud.createActive();
  const generation = (await cloud.wish(id))?.generation ?? 0;
  await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
  const wish = await cloud.wish(id);
  for (const about of [generation, wish?.generation ?? 0]) {
    await recordObserved(cloud.ctx, runnerId, [
      { kind: 'server', id, generation: about, state: 'stopped', cause: 'guest' },
    ]);
  }
  expect(await cloud.wish(id)).toEqual(wish);
  expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': 'deleting' });
});

describe('deleting', () => {
  it('is accepted again and again, and in any state', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const [id, stays] = [await cloud.create(), await cloud.create()];
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect((await actionsOf(cloud, id)).map(({ action }) => action)).toEqual(['delete', 'create']);
    const absent = {
      kind: 'server',
      id,
      generation: (await cloud.wish(id))?.generation ?? 0,
      state: 'absent' as const,
    };
    await recordObserved(cloud.ctx, runnerId, [absent, absent]);
    await recordObserved(cloud.ctx, runnerId, [absent]);
    expect(await cloud.runner(runnerId)).toMatchObject({ vcpusClaimed: 1, memoryMibClaimed: 512, diskGibClaimed: 1 });
    expect((await cloud.show(stays)).status).toBe('BUILD');
    expect((await cloud.call('DELETE', `/servers/${id}`)).status).toBe(404);
    const [removed, created] = await actionsOf(cloud, id);
    expect([removed?.message, created?.message]).toEqual([null, 'Error']);
  });

  it('of a server without a host is done at once', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.create();
    expect((await cloud.show(id)).status).toBe('ERROR');
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
  });

  it('that the host failed is an ERROR, and is tried anew when asked for again', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    await cloud.observe(id, { state: 'failed', fault: { code: 500, message: 'the disk is busy' } });
    expect(await cloud.show(id)).toMatchObject({ status: 'ERROR', fault: { message: 'the disk is busy' } });
    const before = await cloud.wish(id);
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    const after = await cloud.wish(id);
    expect(after?.deleted).toBe(true);
    expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.row(id)).vmState).toBe('deleted');
  });

  it('shows the deleted to operators who ask for them, and to nobody else', async () => {
    const cloud = await ComputeCloud.open();
    const id = await cloud.create();
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    const list = async (query: string, as = cloud.admin) =>
      (await cloud.answer<{ servers: { id: string; status: string }[] }>('GET', `/servers/detail?${query}`, { as }))
        .servers;
    expect(await list('all_tenants=1&deleted=true')).toMatchObject([{ id, status: 'DELETED' }]);
    expect(await list('all_tenants=1')).toEqual([]);
    expect(await list('deleted=true', cloud.user)).toEqual([]);
    expect((await cloud.call('GET', '/servers?status=deleted')).status).toBe(403);
  });
});

describe('a lock', () => {
  it('keeps everyone but an admin from changing a server', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.answer('POST', `/servers/${id}/action`, {
      body: { lock: { locked_reason: 'audit' } },
      version: '2.73',
      status: 202,
    });
    expect(await cloud.show(id)).toMatchObject({ locked: true, locked_reason: 'audit' });
    expect(await conflictOf(cloud, id, { 'os-stop': null })).toBe(`Instance ${id} is locked`);
    expect((await cloud.call('DELETE', `/servers/${id}`)).status).toBe(409);
    await cloud.act(id, { 'os-stop': null }, cloud.admin);
    await cloud.act(id, { unlock: null });
    expect(await cloud.show(id)).toMatchObject({ locked: false, locked_reason: null });
  });

  it('of an admin is not lifted by its owner', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.act(id, { lock: null }, cloud.admin);
    expect((await cloud.call('POST', `/servers/${id}/action`, { body: { unlock: null } })).status).toBe(403);
    await cloud.act(id, { unlock: null }, cloud.admin);
    expect((await cloud.show(id)).locked).toBe(false);
  });
});

describe('a server of another project', () => {
  it('is not there, whatever is asked of it', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    const stranger = await mintActor('member');
    const asked: [string, string, unknown?][] = [
      ['GET', ''],
      ['PUT', '', { server: { name: 'x' } }],
      ['DELETE', ''],
      ['GET', '/metadata'],
      ['PUT', '/metadata', { metadata: {} }],
      ['GET', '/os-instance-actions'],
      ['GET', '/ips'],
      ['POST', '/action', { 'os-stop': null }],
      ['POST', '/action', { reboot: { type: 'SOFT' } }],
      ['POST', '/action', { lock: null }],
      ['POST', '/action', { 'os-getConsoleOutput': {} }],
    ];
    for (const [method, path, body] of asked) {
      const response = await cloud.call(method, `/servers/${id}${path}`, { as: stranger, body });
      expect([method, path, response.status]).toEqual([method, path, 404]);
      expect(await response.json()).toEqual({
        itemNotFound: { code: 404, message: `Instance ${id} could not be found.` },
      });
    }
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', name: 's', locked: false });
  });

  it('is changed by nobody who may only read', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner();
    const id = await cloud.createActive();
    const reader = await mintActor('reader', cloud.user.projectId);
    expect((await cloud.call('GET', `/servers/${id}`, { as: reader })).status).toBe(200);
    const response = await cloud.call('DELETE', `/servers/${id}`, { as: reader });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({
      forbidden: { code: 403, message: "Policy doesn't allow os_compute_api:servers:delete to be performed." },
    });
  });
});
