import { describe, expect, it } from 'vitest';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { commitAll } from '../http/commit.ts';
import { expireTasks } from './expire-tasks.ts';

/** The region as it is once every deadline has passed. */
const later = (cloud: ComputeCloud) =>
  commitAll(cloud.ctx, expireTasks({ ...cloud.ctx, clock: { nowMs: () => Date.now() + 3_600_000 } }));

describe('a task that runs out of time', () => {
  it.each([
    ['build', async () => {}, 'was not built', 'running', 'ACTIVE'],
    [
      'stop',
      (cloud: ComputeCloud, id: string) => cloud.act(id, { 'os-stop': null }),
      'was not stopped',
      'stopped',
      'SHUTOFF',
    ],
    [
      'reboot',
      (cloud: ComputeCloud, id: string) => cloud.act(id, { reboot: { type: 'HARD' } }),
      'was not rebooted',
      'running',
      'ACTIVE',
    ],
  ] as const)(
    '%s ends in ERROR that names the host, and heals when the host is done',
    async (task, ask, what, state, status) => {
      const cloud = await ComputeCloud.open();
      const runnerId = await cloud.addRunner();
      const id = task === 'build' ? await cloud.create() : await cloud.createActive();
      await ask(cloud, id);
      await commitAll(cloud.ctx, expireTasks(cloud.ctx));
      expect((await cloud.show(id)).status).not.toBe('ERROR');
      await later(cloud);
      const { name } = await cloud.runner(runnerId);
      const server = await cloud.show(id);
      expect(server.status).toBe('ERROR');
      expect(server.fault?.message).toBe(
        `The server ${what} in time: host ${name}, which is connected, did not report it.`,
      );
      expect(server['OS-EXT-STS:task_state']).toBeNull();
      await cloud.observe(id, { state });
      expect((await cloud.show(id)).status).toBe(status);
    },
  );

  it('delete leaves the tombstone, and the server goes when the host lets go of it', async () => {
    const cloud = await ComputeCloud.open();
    const runnerId = await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    await later(cloud);
    expect((await cloud.show(id)).fault?.message).toContain('was not deleted in time');
    expect((await cloud.wish(id))?.deleted).toBe(true);
    await cloud.observe(id, { state: 'absent' });
    expect((await cloud.call('GET', `/servers/${id}`)).status).toBe(404);
    expect((await cloud.runner(runnerId)).vcpusClaimed).toBe(0);
  });

  it('of another region is left to that region', async () => {
    const [cloud, other] = [await ComputeCloud.open(), await ComputeCloud.open()];
    await other.addRunner();
    const id = await other.create();
    await later(cloud);
    expect((await other.show(id)).status).toBe('BUILD');
  });
});
