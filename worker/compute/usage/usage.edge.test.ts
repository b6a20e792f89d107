import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { servers } from '../../../db/schema/compute.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const text = (ms: number) => new Date(ms).toISOString().slice(0, 23);

interface Usage {
  tenant_id: string;
  total_hours: number;
  server_usages?: Record<string, unknown>[];
  [member: string]: unknown;
}

/** A region with a server that ran for two hours a day ago, and one that has run for an hour. */
async function open() {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner();
  const nowMs = Date.now();
  const [ended, running] = [await cloud.createActive(), await cloud.createActive()];
  const set = (id: string, of: Partial<typeof servers.$inferInsert>) =>
    cloud.ctx.db.update(servers).set(of).where(eq(servers.id, id));
  const over = nowMs - DAY_MS + 2 * HOUR_MS;
  await set(ended, { launchedAtMs: nowMs - DAY_MS, terminatedAtMs: over, deletedAtMs: over, vmState: 'deleted' });
  await set(running, { launchedAtMs: nowMs - HOUR_MS });
  const path = `/os-simple-tenant-usage/${cloud.user.projectId}`;
  const show = async (query: string, version = '2.1') =>
    cloud.answer<{ tenant_usage: Usage; tenant_usage_links?: { href: string }[] }>('GET', `${path}${query}`, {
      version,
    });
  const since = `?start=${text(nowMs - 2 * DAY_MS)}&end=${text(nowMs + DAY_MS)}`;
  return { cloud, nowMs, ended, running, show, since, path };
}

describe('usage', () => {
  it('of a project is what its servers ran, the deleted ones too', async () => {
    const { cloud, ended, running, show, since } = await open();
    const { tenant_usage: usage } = await show(since);
    expect(usage.total_hours).toBeCloseTo(3, 1);
    expect(usage.total_vcpus_usage).toBeCloseTo(3, 1);
    expect(usage.total_memory_mb_usage).toBeCloseTo(3 * 512, -1);
    expect(usage.total_local_gb_usage).toBeCloseTo(3, 1);
    expect(usage.server_usages).toMatchObject([
      { instance_id: ended, state: 'terminated', uptime: 7200, hours: 2, vcpus: 1, memory_mb: 512, local_gb: 1 },
      { instance_id: running, state: 'active', ended_at: null, tenant_id: cloud.user.projectId },
    ]);
  });

  it('counts what falls within the window alone', async () => {
    const { nowMs, show } = await open();
    const from = nowMs - DAY_MS + HOUR_MS;
    expect((await show(`?start=${text(from)}&end=${text(from + DAY_MS / 2)}`)).tenant_usage.total_hours).toBeCloseTo(
      1,
      2,
    );
    expect(await show(`?start=${text(nowMs - 9 * DAY_MS)}&end=${text(nowMs - 8 * DAY_MS)}`)).toEqual({
      tenant_usage: {},
    });
  });

  it('comes in pages from 2.40', async () => {
    const { ended, running, show, since } = await open();
    const first = await show(`${since}&limit=1`, '2.40');
    expect(first.tenant_usage.server_usages).toMatchObject([{ instance_id: ended }]);
    expect(first.tenant_usage_links?.[0]?.href).toContain(`marker=${ended}`);
    const second = await show(`${since}&limit=1&marker=${ended}`, '2.40');
    expect(second.tenant_usage.server_usages).toMatchObject([{ instance_id: running }]);
    expect((await show(`${since}&limit=1`)).tenant_usage.server_usages).toHaveLength(2);
  });

  it('of all projects is for operators', async () => {
    const { cloud, since } = await open();
    const list = async (query: string) =>
      (await cloud.answer<{ tenant_usages: Usage[] }>('GET', `/os-simple-tenant-usage${query}`, { as: cloud.admin }))
        .tenant_usages;
    const [usage] = await list(since);
    expect(usage).toMatchObject({ tenant_id: cloud.user.projectId });
    expect(usage).not.toHaveProperty('server_usages');
    expect((await list(`${since}&detailed=1`))[0]?.server_usages).toHaveLength(2);
    expect((await cloud.call('GET', `/os-simple-tenant-usage${since}`)).status).toBe(403);
    expect((await cloud.call('GET', `/os-simple-tenant-usage/${since}`, { as: cloud.admin })).status).toBe(404);
  });

  it.each(['?start=yesterday', '?start=2026-01-02T00:00:00&end=2026-01-01T00:00:00'])('refuses %s', async (query) => {
    const { cloud, path } = await open();
    expect((await cloud.call('GET', `${path}${query}`)).status).toBe(400);
  });

  it('refuses a marker that is none, or another project’s', async () => {
    const { cloud, path, since } = await open();
    const foreign = await cloud.createActive({}, cloud.admin);
    for (const marker of ['none', foreign]) {
      const response = await cloud.call('GET', `${path}${since}&marker=${marker}`, { version: '2.40' });
      expect([response.status, await response.json()]).toEqual([
        400,
        { badRequest: { code: 400, message: `marker [${marker}] not found` } },
      ]);
    }
  });
});

describe('the audit log of usage', () => {
  it('says that no host runs one', async () => {
    const cloud = await ComputeCloud.open();
    await cloud.addRunner({ name: 'alpha' });
    const as = cloud.admin;
    const path = '/os-instance_usage_audit_log';
    expect(await cloud.answer('GET', path, { as })).toMatchObject({
      instance_usage_audit_logs: {
        hosts_not_run: ['alpha'],
        num_hosts: 1,
        overall_status: '0 of 1 hosts done. 0 errors.',
      },
    });
    expect(await cloud.answer('GET', `${path}/2026-03-05%2010%3A00%3A00`, { as })).toMatchObject({
      instance_usage_audit_log: { period_beginning: '2026-02-01 00:00:00', period_ending: '2026-03-01 00:00:00' },
    });
    expect((await cloud.call('GET', `${path}/never`, { as })).status).toBe(400);
    expect((await cloud.call('GET', path)).status).toBe(403);
    expect((await cloud.call('GET', `${path}/2026-03-05%2010%3A00%3A00`)).status).toBe(403);
  });
});
