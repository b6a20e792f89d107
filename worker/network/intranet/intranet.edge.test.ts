import { and, eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { audit } from '../../../db/schema/audit.ts';
import { desired } from '../../../db/schema/fleet.ts';
import { ports } from '../../../db/schema/network.ts';
import type { MessageOf } from '../../../shared/protocol/messages.ts';
import { intranetExceptionSpec, intranetSpec } from '../../../shared/specs/intranet.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call, newTenant } from '../../../test/edge-client.ts';
import { EdgeRunner, type Enrolled, enrol } from '../../../test/edge-runner.ts';
import { expireIntranetRules } from './expire-rules.ts';

const MINUTE_MS = 60_000;
let cloud: ComputeCloud;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
});

async function intranet(method: string, path: string, body?: unknown) {
  const url = `/r/${cloud.region}/aerostat/v1/intranet${path}`;
  const response = await call(method, url, { token: cloud.admin.token, ...(body === undefined ? {} : { body }) });
  const text = await response.text();
  return { status: response.status, body: (text === '' ? null : JSON.parse(text)) as ReturnType<typeof JSON.parse> };
}
const addPrefix = (prefix: string, of: Record<string, unknown> = {}) =>
  intranet('POST', '/prefixes', { prefix: { prefix, reason: 'the offices', ...of } });
const addRule = (rule: Record<string, unknown>) =>
  intranet('POST', '/rules', { rule: { destination: '10.1.0.0/16', reason: 'LDAP', ...rule } });
const inAMinute = () => new Date(Date.now() + MINUTE_MS).toISOString();

async function joinedRunner(): Promise<Enrolled> {
  const asked = await call('POST', `/r/${cloud.region}/aerostat/v1/join-tokens`, {
    token: cloud.admin.token,
    body: { join_token: {} },
  });
  const { join_token } = (await asked.json()) as { join_token: { token: string } };
  return (await enrol({ token: join_token.token })).runner;
}

/** What a host is told, of a kind, by id; tombstones as null. */
async function told(runnerId: string, kind: string): Promise<Record<string, unknown>> {
  const rows = await cloud.ctx.db
    .select()
    .from(desired)
    .where(and(eq(desired.runnerId, runnerId), eq(desired.kind, kind)));
  return Object.fromEntries(rows.map((row) => [row.id, row.deleted ? null : row.spec]));
}

describe('prefixes', () => {
  it('close a range on every host of the region in one batch, and on no other', async () => {
    const hosts = [await cloud.addRunner(), await cloud.addRunner()];
    const [gone, elsewhere] = [
      await cloud.addRunner({ state: 'removed' }),
      await (await ComputeCloud.open()).addRunner(),
    ];
    const made = await addPrefix('10.0.0.0/8', { description: 'd' });
    expect(made).toMatchObject({
      status: 201,
      body: { prefix: { prefix: '10.0.0.0/8', ip_version: 4, description: 'd', reason: 'the offices' } },
    });
    expect(made.body.prefix.created_by).toBe(cloud.admin.userId);
    await addPrefix('FD00:0::/8');
    for (const host of hosts) {
      const { filter } = await told(host, 'intranet');
      expect(intranetSpec.parse(filter)).toEqual({ dry_run: false, prefixes: ['10.0.0.0/8', 'fd00::/8'] });
      expect((await cloud.runner(host)).generation).toBe(2);
    }
    expect(await told(gone, 'intranet')).toEqual({});
    expect(await told(elsewhere, 'intranet')).toEqual({});
    expect((await intranet('DELETE', `/prefixes/${made.body.prefix.id}`)).status).toBe(204);
    expect(await told(hosts[0] ?? '', 'intranet')).toMatchObject({ filter: { prefixes: ['fd00::/8'] } });
  });

  it('are there once, whatever races', async () => {
    const made = await Promise.all([1, 2, 3, 4].map(() => addPrefix('10.0.0.0/8')));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409, 409]);
    expect((await intranet('GET', '/prefixes')).body.prefixes).toHaveLength(1);
  });

  it.each([
    ['10.0.0.1/8', /did|is it 10\.0\.0\.0\/8/],
    ['10.0.0.0/33', /is no range/],
    ['x', /is no range/],
    ['127.0.0.0/8', /Loopback/],
    ['169.254.169.254', /Loopback/],
    ['fe80::/10', /Loopback/],
    ['ff02::/16', /Loopback/],
    ['239.0.0.0/8', /Loopback/],
  ])('refuse %s', async (prefix, message) => {
    const { status, body } = await addPrefix(prefix);
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it('take all of a version, and a single address', async () => {
    expect((await addPrefix('0.0.0.0/0')).body.prefix.prefix).toBe('0.0.0.0/0');
    expect((await addPrefix('10.0.0.5')).body.prefix.prefix).toBe('10.0.0.5/32');
  });

  it('need a reason, and are described anew', async () => {
    expect((await addPrefix('10.0.0.0/8', { reason: ' ' })).body.error.message).toMatch(/a reason is required/);
    const { id } = (await addPrefix('10.0.0.0/8')).body.prefix;
    const put = await intranet('PUT', `/prefixes/${id}`, { prefix: { reason: 'the labs' } });
    expect(put.body.prefix).toMatchObject({ reason: 'the labs', prefix: '10.0.0.0/8' });
    expect((await intranet('PUT', `/prefixes/${id}`, { prefix: { prefix: '10.0.0.0/9' } })).status).toBe(400);
    expect((await intranet('GET', `/prefixes/${id}?fields=reason`)).body.prefix).toEqual({ reason: 'the labs' });
  });

  it('are listed by page, order and filter', async () => {
    for (const prefix of ['10.3.0.0/16', '10.1.0.0/16', '10.2.0.0/16', 'fd00::/8']) await addPrefix(prefix);
    const page = await intranet('GET', '/prefixes?ip_version=4&sort_key=prefix&sort_dir=desc&limit=2');
    expect(page.body.prefixes.map((one: { prefix: string }) => one.prefix)).toEqual(['10.3.0.0/16', '10.2.0.0/16']);
    expect(page.body.prefixes_links[0].rel).toBe('next');
    expect((await intranet('GET', '/prefixes?colour=red')).status).toBe(400);
  });
});

describe('the filter', () => {
  it('is on until somebody says otherwise, and what is not said stays', async () => {
    const host = await cloud.addRunner();
    expect((await intranet('GET', '')).body.intranet).toMatchObject({ enabled: true, dry_run: false, prefixes: 0 });
    await addPrefix('10.0.0.0/8');
    const dry = await intranet('PUT', '', { intranet: { dry_run: true } });
    expect(dry.body.intranet).toMatchObject({ enabled: true, dry_run: true, updated_by: cloud.admin.userId });
    expect(await told(host, 'intranet')).toEqual({ filter: { dry_run: true, prefixes: ['10.0.0.0/8'] } });
    await intranet('PUT', '', { intranet: { enabled: false } });
    expect(await told(host, 'intranet')).toEqual({ filter: { dry_run: true, prefixes: [] } });
    const on = await intranet('PUT', '', { intranet: { enabled: true, dry_run: false } });
    expect(on.body.intranet).toMatchObject({ enabled: true, dry_run: false, prefixes: 1 });
    expect(await told(host, 'intranet')).toEqual({ filter: { dry_run: false, prefixes: ['10.0.0.0/8'] } });
    expect((await intranet('PUT', '', { intranet: { enabled: 'yes' } })).status).toBe(400);
  });

  it('is on a host that joins before it holds anything else', async () => {
    await addPrefix('10.0.0.0/8');
    const { projectId } = await newTenant();
    const { id } = (await addRule({ source: { type: 'project', id: projectId } })).body.rule;
    const { id: host } = await joinedRunner();
    expect(await told(host, 'intranet')).toEqual({ filter: { dry_run: false, prefixes: ['10.0.0.0/8'] } });
    expect(Object.keys(await told(host, 'intranet-exception'))).toEqual([id]);
    expect((await cloud.runner(host)).generation).toBe(1);
  });

  it('leaves an audit of who changed what', async () => {
    await addPrefix('10.0.0.0/8');
    const [row] = await cloud.ctx.db.select().from(audit).where(eq(audit.region, cloud.region));
    expect(row).toMatchObject({ action: 'intranet:prefixes:create', actorId: cloud.admin.userId });
    expect(row?.detail).toMatchObject({ prefix: '10.0.0.0/8', reason: 'the offices' });
  });
});

describe('rules', () => {
  it('let each kind of source through, where there is one', async () => {
    const host = await cloud.addRunner();
    const { networkId } = await cloud.addNetwork();
    const serverId = await cloud.create();
    const { projectId } = await newTenant();
    const net = async (path: string, body: unknown) =>
      (await call('POST', `/r/${cloud.region}/networking/v2.0${path}`, { token: cloud.user.token, body })).json();
    const { port } = (await net('/ports', { port: { network_id: networkId } })) as { port: { id: string } };
    const group = (await net('/security-groups', { security_group: { name: 'g' } })) as {
      security_group: { id: string };
    };
    const sources = [
      { type: 'project', id: projectId },
      { type: 'network', id: networkId },
      { type: 'security_group', id: group.security_group.id },
      { type: 'server', id: serverId },
      { type: 'port', id: port.id },
    ];
    const rule = {
      protocol: 'tcp',
      port_range_min: 389,
      port_range_max: 389,
      description: 'd',
      expires_at: inAMinute(),
    };
    for (const source of sources) {
      const made = await addRule({ source, ...rule });
      expect(made).toMatchObject({ status: 201, body: { rule: { source, protocol: 6, status: 'active' } } });
      const spec = intranetExceptionSpec.parse((await told(host, 'intranet-exception'))[made.body.rule.id]);
      expect(spec).toMatchObject({ source, destination: '10.1.0.0/16', protocol: 6, port_range_min: 389 });
      expect(spec.expires_at_ms).toBe(Date.parse(rule.expires_at));
    }
    const types = (await intranet('GET', '/rules?source_type=server&source_type=port')).body.rules;
    expect(types.map((one: { source: { type: string } }) => one.source.type).sort()).toEqual(['port', 'server']);
  });

  it.each([
    [{ source: { type: 'server', id: crypto.randomUUID() } }, /there is no server/],
    [{ source: { type: 'project', id: 'x' } }, /there is no project x/],
    [{ source: { type: 'host', id: 'x' } }, /source\.type/],
    [{ source: { type: 'project', id: 'x' }, reason: undefined }, /reason/],
    [{ source: { type: 'project', id: 'x' }, port_range_min: 80, port_range_max: 80 }, /Ports need a protocol/],
    [{ source: { type: 'project', id: 'x' }, protocol: 'icmp', port_range_min: 8, port_range_max: 8 }, /Ports need/],
    [{ source: { type: 'project', id: 'x' }, protocol: 'tcp', port_range_min: 80 }, /both ends/],
    [{ source: { type: 'project', id: 'x' }, protocol: 'tcp', port_range_min: 81, port_range_max: 80 }, /ends \(80\)/],
    [{ source: { type: 'project', id: 'x' }, protocol: 'smtp' }, /is no protocol/],
    [{ source: { type: 'project', id: 'x' }, expires_at: '2001-01-01T00:00:00Z' }, /is past/],
    [{ source: { type: 'project', id: 'x' }, expires_at: '2999-01-01T00:00:00Z' }, /too far/],
    [{ source: { type: 'project', id: 'x' }, expires_at: 'tomorrow' }, /expires_at/],
    [{ source: { type: 'project', id: 'x' }, colour: 'red' }, /colour/],
  ])('refuse what makes none: %j', async (rule, message) => {
    const { status, body } = await addRule(rule);
    expect([status, body.error.message]).toEqual([400, expect.stringMatching(message)]);
  });

  it('know a source of their own region only', async () => {
    const { networkId } = await (await ComputeCloud.open()).addNetwork();
    expect((await addRule({ source: { type: 'network', id: networkId } })).status).toBe(400);
  });

  it('are there once, whatever races; the other is named', async () => {
    const { networkId: id } = await cloud.addNetwork();
    const made = await Promise.all([1, 2, 3].map(() => addRule({ source: { type: 'network', id } })));
    expect(made.map(({ status }) => status).sort()).toEqual([201, 409, 409]);
    const first = made.find(({ status }) => status === 201)?.body.rule.id;
    const other = made.find(({ status }) => status === 409)?.body.error.message;
    expect(other).toContain(first);
  });

  it('end: taken from the hosts by the region’s watch, shown as expired, and given a new end', async () => {
    const host = await cloud.addRunner();
    const { networkId: id } = await cloud.addNetwork();
    const source = { type: 'network', id };
    const { rule } = (await addRule({ source, expires_at: inAMinute() })).body;
    const { rule: other } = (await addRule({ source, destination: '10.2.0.0/16' })).body;
    await expireIntranetRules(cloud.ctx);
    expect((await told(host, 'intranet-exception'))[rule.id]).not.toBeNull();
    const later = { ...cloud.ctx, clock: { nowMs: () => Date.now() + 2 * MINUTE_MS } };
    await expireIntranetRules(later);
    expect(await told(host, 'intranet-exception')).toMatchObject({ [rule.id]: null, [other.id]: { source } });
    const { generation } = await cloud.runner(host);
    await expireIntranetRules(later);
    expect((await cloud.runner(host)).generation).toBe(generation);
    const put = await intranet('PUT', `/rules/${rule.id}`, { rule: { expires_at: null } });
    expect(put.body.rule).toMatchObject({ expires_at: null, status: 'active' });
    expect((await told(host, 'intranet-exception'))[rule.id]).toMatchObject({ expires_at_ms: null });
    expect((await intranet('DELETE', `/rules/${rule.id}`)).status).toBe(204);
    expect((await told(host, 'intranet-exception'))[rule.id]).toBeNull();
    expect((await intranet('GET', `/rules/${rule.id}`)).status).toBe(404);
  });

  it('say by their status whether their end has come', async () => {
    const { networkId: id } = await cloud.addNetwork();
    const expires_at = new Date(Date.now() + 1_500).toISOString();
    await addRule({ source: { type: 'network', id }, expires_at });
    await expect
      .poll(async () => (await intranet('GET', '/rules?status=expired')).body.rules, { timeout: 20_000 })
      .toMatchObject([{ status: 'expired', expires_at }]);
    expect((await intranet('GET', '/rules?status=active')).body.rules).toEqual([]);
  });
});

describe('what was denied', () => {
  it('is asked of the machines, and those that do not answer are named', async () => {
    const host = await cloud.addRunner({ name: `silent-${cloud.region}` });
    await cloud.addRunner({ leaseExpiresAtMs: 1 });
    const all = await intranet('GET', '/denied');
    expect(all.body).toEqual({ denied: [], totals: [], hosts: { answered: 0, silent: [`silent-${cloud.region}`] } });
    expect((await cloud.runner(host)).name).toContain('silent');
    const other = await intranet('GET', `/denied?server_id=${crypto.randomUUID()}`);
    expect(other.body).toEqual({ denied: [], totals: [], hosts: { answered: 0, silent: [] } });
    expect((await intranet('GET', '/denied?colour=red')).status).toBe(400);
  });

  it('comes from the machine that serves the port, and with what was sent in all', async () => {
    const runner = await joinedRunner();
    const link = await EdgeRunner.connect(runner);
    const { networkId } = await cloud.addNetwork();
    const made = await call('POST', `/r/${cloud.region}/networking/v2.0/ports`, {
      token: cloud.user.token,
      body: { port: { network_id: networkId } },
    });
    const { port } = (await made.json()) as { port: { id: string } };
    await cloud.ctx.db.update(ports).set({ runnerId: runner.id }).where(eq(ports.id, port.id));
    await cloud.addRunner();
    const asked = intranet('GET', `/denied?port_id=${port.id}`);
    const { query_id, kind, args } = (await link.next((one) => one.type === 'query')) as MessageOf<'query'>;
    expect([kind, args]).toEqual(['denied', { port_id: port.id }]);
    const whose = { port_id: port.id, project_id: cloud.user.projectId, server_id: null, dropped: true };
    const seen = { packets: 3, bytes: 180, first_seen_ms: 1_000, last_seen_ms: 2_000 };
    const flow = { ...whose, ...seen, destination: '10.0.0.1', protocol: 6, port: 22 };
    const total = { ...whose, ...seen, packets: 9, destination: null, protocol: null, port: null };
    link.send({ type: 'answer', query_id, ok: true, result: { flows: [flow, total] } });
    const times = { first_seen: '1970-01-01T00:00:01.000Z', last_seen: '1970-01-01T00:00:02.000Z', host: runner.name };
    const shown = { ...whose, ...times, packets: 3, bytes: 180, destination: '10.0.0.1', protocol: 6, port: 22 };
    expect((await asked).body).toEqual({
      denied: [shown],
      totals: [{ ...whose, ...times, packets: 9, bytes: 180 }],
      hosts: { answered: 1, silent: [] },
    });
  });
});
