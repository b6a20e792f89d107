import { eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { beforeEach, describe, expect, it } from 'vitest';
import { runners } from '../../db/schema/fleet.ts';
import { EVENT_DATA_BYTES_MAX } from '../../shared/event-types.ts';
import { ComputeCloud } from '../../test/compute-cloud.ts';
import { call } from '../../test/edge-client.ts';
import { told as toldOf, typesTold } from '../../test/edge-events.ts';
import { AssertionFailed, assertThat, commit, commitAll, type Statement } from '../http/commit.ts';
import { putEvent } from './put-event.ts';

let cloud: ComputeCloud;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
});

const told = (resourceId: string) => toldOf(cloud.ctx.db, resourceId);
const typesOf = (resourceId: string, projectId: string | null = cloud.user.projectId) =>
  typesTold(cloud.ctx.db, resourceId, { region: cloud.region, projectId });
const note = (message: string) => ({
  type: 'webhook.test' as const,
  projectId: cloud.user.projectId,
  data: { id: 'x', message },
});
const audit = { action: 'test', targetType: 'test', targetId: 'x' };

describe('a server', () => {
  it('tells its life', async () => {
    await cloud.addRunner();
    const id = await cloud.createActive({ name: 'web', metadata: { secret: 'of-the-guest' } });
    await cloud.answer('PUT', `/servers/${id}`, { body: { server: { name: 'api' } } });
    await cloud.act(id, { 'os-stop': null });
    await cloud.observe(id, { state: 'stopped' });
    await cloud.answer('DELETE', `/servers/${id}`, { status: 204 });
    await cloud.observe(id, { state: 'absent' });
    expect(await typesOf(id)).toEqual([
      ...['server.created', 'server.active', 'server.updated', 'server.stopped', 'server.deleted'],
    ]);
    const [created, active, updated] = await told(id);
    expect(created?.data).toMatchObject({ name: 'web', state: 'building', previous_state: null, fault: null });
    expect(created?.data.flavor).toMatchObject({ vcpus: 1, ram_mib: 512, disk_gib: 1 });
    expect(active?.data).toMatchObject({ state: 'active', previous_state: 'building' });
    expect(updated?.data).toMatchObject({ name: 'api' });
    expect(JSON.stringify(await told(id))).not.toContain('of-the-guest');
  });

  it('tells its fault, and is small however long that is', async () => {
    await cloud.addRunner();
    const id = await cloud.create({ name: '\u{1F600}'.repeat(255), metadata: { key: 'x'.repeat(255) } });
    const fault = { code: 500, message: '\u{1F600}'.repeat(400), details: 'not for others' };
    await cloud.observe(id, { state: 'failed', fault });
    expect(await typesOf(id)).toEqual(['server.created', 'server.error']);
    const [, failed] = await told(id);
    expect(failed?.data.fault).toMatchObject({ code: 500 });
    expect(JSON.stringify(failed?.data)).not.toContain('not for others');
  });

  it.each([
    [{ vmState: 'resized' as const }, ['server.resized']],
    [{ vmState: 'soft-delete' as const }, ['server.soft_deleted']],
    [{ vmState: 'suspended' as const }, ['server.suspended']],
    [{ vmState: 'rescued' as const }, ['server.rescued']],
    [{ vmState: 'building' as const }, ['server.building']],
    [{ vmState: 'shelved_offloaded' as const }, ['server.shelved_offloaded']],
    [{ lockedBy: 'owner' as const, vmState: 'paused' as const }, ['server.updated', 'server.paused']],
    [{ vmState: 'active' as const, powerState: 1, progress: 7, taskState: 'rebooting' as const }, []],
  ])('whose row is written %j tells %j, whoever writes it', async (row, types) => {
    await cloud.addRunner();
    const id = await cloud.createActive();
    await cloud.put(id, row);
    expect((await typesOf(id)).slice(2)).toEqual(types);
  });

  it('that goes back to its flavor tells both', async () => {
    await cloud.addRunner();
    const id = await cloud.createActive();
    const { flavor } = await cloud.row(id);
    await cloud.put(id, { vmState: 'resized', flavor: { ...flavor, id: 'other', ramMib: 1024 } });
    await cloud.put(id, { vmState: 'active', flavor });
    expect((await typesOf(id)).slice(2)).toEqual(['server.resized', 'server.resized', 'server.active']);
  });
});

describe('networks and floating IPs', () => {
  it('tell their lives', async () => {
    const { networkId } = await cloud.addNetwork();
    const url = `/r/${cloud.region}/networking/v2.0`;
    const { token } = cloud.user;
    await call('PUT', `${url}/networks/${networkId}`, { token, body: { network: { name: 'n', mtu: 1400 } } });
    await call('DELETE', `${url}/networks/${networkId}`, { token });
    expect(await typesOf(networkId)).toEqual(['network.created', 'network.updated', 'network.deleted']);
    expect((await told(networkId))[1]?.data).toMatchObject({ name: 'n', mtu: 1400, shared: false });

    const outside = await cloud.addNetwork('198.51.100.0/24', { as: cloud.admin, 'router:external': true });
    const made = await cloud.make<{ floatingip: { id: string } }>('floatingips', {
      floatingip: { floating_network_id: outside.networkId },
    });
    const { id } = made.floatingip;
    await call('PUT', `${url}/floatingips/${id}`, { token, body: { floatingip: { description: 'd' } } });
    await cloud.ctx.db.run(sql`UPDATE floating_ips SET status = 'ERROR' WHERE id = ${id}`);
    await call('DELETE', `${url}/floatingips/${id}`, { token });
    expect(await typesOf(id)).toEqual([
      ...['floating_ip.created', 'floating_ip.updated', 'floating_ip.error', 'floating_ip.deleted'],
    ]);
  });
});

describe('a runner', () => {
  it('tells the operator when it comes, goes and is removed', async () => {
    const id = await cloud.addRunner({ connected: false });
    const set = (row: Partial<typeof runners.$inferInsert>) =>
      cloud.ctx.db.update(runners).set(row).where(eq(runners.id, id));
    await set({ connected: true });
    await set({ connected: true, guests: 3, lastSeenAtMs: 5 });
    await set({ connected: false });
    await set({ state: 'draining', stateReason: 'repair' });
    await set({ connected: true });
    await set({ state: 'removed', connected: false });
    expect(await typesOf(id, null)).toEqual([
      ...[
        'runner.enrolled',
        'runner.up',
        'runner.down',
        'runner.updated',
        'runner.up',
        'runner.down',
        'runner.removed',
      ],
    ]);
    expect(JSON.stringify(await told(id))).not.toContain('public_key');
  });
});

describe('an event', () => {
  it('is there iff its transaction committed', async () => {
    const resourceId = crypto.randomUUID();
    const event = () => putEvent(cloud.ctx, { ...note('m'), resourceId });
    const failing = assertThat(cloud.ctx.db, 'never', sql`0`);
    await expect(commit(cloud.ctx, { audit, statements: [event(), failing] })).rejects.toThrow(AssertionFailed);
    expect(await told(resourceId)).toEqual([]);
    await commit(cloud.ctx, { audit, statements: [event(), event()] });
    expect(await typesOf(resourceId)).toHaveLength(2);
  });

  it('of a change that is rolled back is not there', async () => {
    await cloud.addRunner();
    const id = await cloud.createActive();
    const { db } = cloud.ctx;
    const statements = [
      db.run(sql`UPDATE servers SET vm_state = 'paused' WHERE id = ${id}`),
      assertThat(db, 'n', sql`0`),
    ];
    await expect(commitAll(cloud.ctx, statements)).rejects.toThrow(AssertionFailed);
    expect(await typesOf(id)).toEqual(['server.created', 'server.active']);
  });

  it('can wait for a condition', async () => {
    const resourceId = crypto.randomUUID();
    const event = (when: number) => putEvent(cloud.ctx, { ...note('m'), resourceId, when: sql`${when}` });
    await commit(cloud.ctx, { audit, statements: [event(0), event(1), event(0)] });
    expect(await typesOf(resourceId)).toHaveLength(1);
  });

  it('of a wrong shape, or too large, is the slip of who writes it', () => {
    const wrong = { ...note('m'), resourceId: 'x', data: { id: 'x' } as never };
    expect(() => putEvent(cloud.ctx, wrong)).toThrow(/webhook\.test/);
    expect(() => putEvent(cloud.ctx, { ...note('x'.repeat(EVENT_DATA_BYTES_MAX)), resourceId: 'x' })).toThrow(/over/);
  });

  it('has the next version of its resource, whatever batches race and fail', async () => {
    const batch = fc.record({ events: fc.array(fc.nat(2), { minLength: 1, maxLength: 4 }), fails: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(batch, { minLength: 1, maxLength: 8 }), async (batches) => {
        const ids = [0, 1, 2].map(() => crypto.randomUUID());
        const counts = ids.map(() => 0);
        const write = async (of: (typeof batches)[number]) => {
          const statements: Statement[] = of.events.map((at) =>
            putEvent(cloud.ctx, { ...note('m'), resourceId: ids[at] ?? '' }),
          );
          if (of.fails) statements.push(assertThat(cloud.ctx.db, 'fails', sql`0`));
          else for (const at of of.events) counts[at] = (counts[at] ?? 0) + 1;
          await commitAll(cloud.ctx, statements).catch(() => {});
        };
        await Promise.all(batches.map(write));
        for (const [at, id] of ids.entries()) {
          expect((await told(id)).map((row) => row.version)).toEqual([...Array(counts[at]).keys()].map((n) => n + 1));
        }
      }),
      { numRuns: 15 },
    );
  });
});
