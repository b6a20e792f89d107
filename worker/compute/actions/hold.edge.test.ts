import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { operations } from '../../../db/schema/fleet.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

type Report = Parameters<ComputeCloud['observe']>[1];

const conflictOf = async (cloud: ComputeCloud, id: string, body: unknown) => {
  const response = await cloud.call('POST', `/servers/${id}/action`, { body });
  expect(response.status).toBe(409);
  return ((await response.json()) as { conflictingRequest: { message: string } }).conflictingRequest.message;
};
const open = async () => {
  const cloud = await ComputeCloud.open();
  const runnerId = await cloud.addRunner();
  return { cloud, runnerId, id: await cloud.createActive() };
};
const actionsOf = async (cloud: ComputeCloud, id: string) =>
  (
    await cloud.answer<{ instanceActions: { action: string; message: string | null }[] }>(
      'GET',
      `/servers/${id}/os-instance-actions`,
    )
  ).instanceActions.map(({ action, message }) => [action, message]);

describe.each([
  ['pause', 'pausing', 'PAUSED', 'paused', 3, 'unpause', 'unpausing'],
  ['suspend', 'suspending', 'SUSPENDED', 'suspended', 4, 'resume', 'resuming'],
] as const)('%s', (verb, task, status, state, power, back, backTask) => {
  it('is a wish that the host fulfils, and back', async () => {
    const { cloud, id } = await open();
    await cloud.act(id, { [verb]: null });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': task });
    expect((await cloud.wish(id))?.spec).toMatchObject({ power: state });
    // What the host says of the time before changes nothing.
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': task });
    await cloud.observe(id, { state });
    expect(await cloud.show(id)).toMatchObject({
      status,
      'OS-EXT-STS:vm_state': state,
      'OS-EXT-STS:task_state': null,
      'OS-EXT-STS:power_state': power,
    });
    expect(await conflictOf(cloud, id, { [verb]: null })).toBe(
      `Cannot '${verb}' instance ${id} while it is in vm_state ${state}`,
    );
    expect(await conflictOf(cloud, id, { 'os-stop': null })).toContain(`vm_state ${state}`);
    await cloud.act(id, { [back]: null });
    expect(await cloud.show(id)).toMatchObject({ status, 'OS-EXT-STS:task_state': backTask });
    await cloud.observe(id, { state: 'running' });
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:power_state': 1 });
    expect(await actionsOf(cloud, id)).toEqual([
      [back, null],
      [verb, null],
      ['create', null],
    ]);
  });

  it('fails into what the server was when the guest could not be held, and its host is told', async () => {
    const { cloud, id } = await open();
    await cloud.act(id, { [verb]: null });
    const before = await cloud.wish(id);
    const report: Report = { state: 'running', fault: { code: 507, message: 'No space is left.' } };
    await cloud.observe(id, report);
    expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    const after = await cloud.wish(id);
    expect(after?.spec).toMatchObject({ power: 'on' });
    expect(after?.generation).toBeGreaterThan(before?.generation ?? 0);
    expect((await actionsOf(cloud, id))[0]).toEqual([verb, 'Error']);
    await cloud.observe(id, { state: 'running' });
    expect((await cloud.show(id)).status).toBe('ACTIVE');
  });

  it('is over with a hard reboot, at rest and under way', async () => {
    const { cloud, id, runnerId } = await open();
    for (const report of [null, { state } as Report]) {
      await cloud.act(id, { [verb]: null });
      if (report) await cloud.observe(id, report);
      await cloud.act(id, { reboot: { type: 'HARD' } });
      expect((await cloud.wish(id))?.spec).toMatchObject({ power: 'on' });
      const asked = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
      await cloud.ended(runnerId, asked.find((one) => one.state === 'queued')?.opId ?? '', 'done');
      expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
    }
    expect((await actionsOf(cloud, id)).filter(([, message]) => message === 'Error')).toEqual([[verb, 'Error']]);
  });

  it('lets its server be deleted, at rest and under way', async () => {
    const { cloud, id } = await open();
    await cloud.act(id, { [verb]: null });
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    const next = await cloud.createActive();
    await cloud.act(next, { [verb]: null });
    await cloud.observe(next, { state });
    await cloud.answer('DELETE', `/servers/${next}`, { status: 204 });
    await cloud.observe(next, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${next}`)).status).toBe(404);
  });
});

it('says that a guest died while it was paused', async () => {
  const { cloud, id } = await open();
  await cloud.act(id, { pause: null });
  await cloud.observe(id, { state: 'paused' });
  await cloud.observe(id, { state: 'stopped', cause: 'crash' });
  expect(await cloud.show(id)).toMatchObject({
    status: 'ERROR',
    'OS-EXT-STS:power_state': 6,
    fault: { message: 'The guest stopped: its process ended unexpectedly.' },
  });
});

it('has a crash dump triggered once, and says how that went', async () => {
  const { cloud, id, runnerId } = await open();
  const body = { trigger_crash_dump: null };
  expect((await cloud.call('POST', `/servers/${id}/action`, { body, version: '2.16' })).status).toBe(404);
  await cloud.answer('POST', `/servers/${id}/action`, { body, version: '2.17', status: 202 });
  const [asked] = await cloud.ctx.db.select().from(operations).where(eq(operations.targetId, id));
  expect(asked).toMatchObject({ kind: 'crash-dump', state: 'queued' });
  await cloud.ended(runnerId, asked?.opId ?? '', 'done');
  expect((await actionsOf(cloud, id))[0]).toEqual(['trigger_crash_dump', null]);
  expect(await cloud.show(id)).toMatchObject({ status: 'ACTIVE', 'OS-EXT-STS:task_state': null });
});
