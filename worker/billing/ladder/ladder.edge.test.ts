import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { images } from '../../../db/schema/image.ts';
import { EVENT_TYPES, type EventTypeName } from '../../../shared/event-types.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { asSystem } from '../../http/system-actor.ts';
import { ensureAccount } from '../accounts/default-account.ts';
import { moveMoney } from '../accounts/move-money.ts';
import { updateAccount } from '../accounts/update-account.ts';
import type { AccountPatch } from '../bodies.ts';
import { farmRound } from '../farmer/farm-round.ts';
import { climbLadder } from './climb-ladder.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let cloud: ComputeCloud;
let ctx: ActorContext;
/** How far the clock of the rounds is ahead. */
let laterMs: number;
let account: string;

beforeEach(async () => {
  cloud = await ComputeCloud.open();
  await cloud.addRunner();
  laterMs = 0;
  ctx = { ...asSystem(cloud.ctx, cloud.user.projectId), clock: { nowMs: () => Date.now() + laterMs } };
  await runBatch(ctx.db, ensureAccount(ctx, cloud.user.projectId));
  account = `${cloud.region}.${cloud.user.projectId}`;
});

const patch = (of: AccountPatch) => updateAccount(ctx, account, of);
const move = (kind: 'deposit' | 'withdrawal', amount: string) =>
  moveMoney(ctx, account, kind, { amount, currency: 'EUR', reference: crypto.randomUUID(), description: '' });
/** The rounds of a region, so long after the test began. */
async function round(afterMs: number, of: Context = ctx) {
  laterMs = afterMs;
  const requestId = `req-${crypto.randomUUID()}`;
  await farmRound({ ...of, requestId });
  await climbLadder({ ...of, requestId });
}
const told = async () =>
  (
    await ctx.db.all<{ type: EventTypeName; data: string }>(
      sql`SELECT type, data FROM events WHERE region = ${cloud.region} AND type LIKE 'billing.%' ORDER BY sequence`,
    )
  ).map(({ type, data }) => ({
    type,
    data: EVENT_TYPES[type].data.parse(JSON.parse(data)) as Record<string, unknown>,
  }));
const types = async () => (await told()).map(({ type }) => type);

/** An account that was just used up, of a project with a server that runs and one that its owner stopped. */
async function usedUp(ladder: AccountPatch) {
  const [running, own] = [await cloud.createActive(), await cloud.createActive()];
  await cloud.act(own, { 'os-stop': null });
  await cloud.observe(own, { state: { power: 'off' } } as never).catch(() => {});
  await cloud.put(own, { vmState: 'stopped', taskState: null, powerState: 4 });
  await patch({ mode: 'prepaid', ...ladder });
  await move('deposit', '1.00');
  await round(0);
  await move('withdrawal', '1.00');
  await round(0);
  expect((await types())[0]).toBe('billing.balance.exhausted');
  return { running, own };
}
/** The machine has done what was asked: as it would report. */
const stopped = (id: string) => cloud.put(id, { vmState: 'stopped', taskState: null, powerState: 4 });

describe('an account that is used up', () => {
  it('has its servers stopped after its grace, and those started again that it stopped, once it pays', async () => {
    const { running, own } = await usedUp({ grace_hours: 24 });
    await round(23 * HOUR_MS);
    expect((await cloud.row(running)).taskState).toBeNull();
    await round(24 * HOUR_MS);
    await round(25 * HOUR_MS);
    expect(await types()).toEqual(['billing.balance.exhausted', 'billing.account.suspended']);
    expect(await cloud.row(running)).toMatchObject({ vmState: 'active', taskState: 'powering-off' });
    expect((await cloud.wish(running))?.spec?.power).toBe('off');
    const [action] = await ctx.db.all(
      sql`SELECT action, user_id FROM server_actions WHERE server_id = ${running} ORDER BY started_at_ms DESC LIMIT 1`,
    );
    expect(action).toEqual({ action: 'stop', user_id: 'aerostat' });
    await stopped(running);
    await move('deposit', '5.00');
    await round(26 * HOUR_MS);
    expect((await types()).slice(2)).toEqual(['billing.balance.restored', 'billing.account.resumed']);
    expect(await cloud.row(running)).toMatchObject({ vmState: 'stopped', taskState: 'powering-on' });
    expect(await cloud.row(own)).toMatchObject({ vmState: 'stopped', taskState: null });
    expect(await ctx.db.all(sql`SELECT * FROM billing_stopped_servers WHERE region = ${cloud.region}`)).toEqual([]);
  });

  it('has what is rescued, or was resized, go on as itself first, and then stopped', async () => {
    const { running } = await usedUp({ grace_hours: 1 });
    await cloud.put(running, { vmState: 'rescued' });
    await round(HOUR_MS);
    expect(await cloud.row(running)).toMatchObject({ vmState: 'rescued', taskState: 'unrescuing' });
    await cloud.put(running, { vmState: 'active', taskState: null });
    await round(HOUR_MS + 1000);
    expect(await cloud.row(running)).toMatchObject({ vmState: 'active', taskState: 'powering-off' });
  });

  it('is suspended until it pays what it owed: what its stops give back is no payment, and undoes none of them', async () => {
    const { running } = await usedUp({ grace_hours: 0 });
    await round(1000);
    await stopped(running);
    const giveBack = sql`INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
      VALUES (${cloud.region}, ${crypto.randomUUID()}, 'money', 'purchase', ${`revenue:${cloud.region}`}, ${`customer:${account}`}, 'EUR', 700000, ${Date.now() + 1500})`;
    await ctx.db.run(giveBack);
    await round(2000);
    await round(3000);
    expect(await types()).toEqual([
      'billing.balance.exhausted',
      'billing.account.suspended',
      'billing.balance.restored',
    ]);
    expect(await cloud.row(running)).toMatchObject({ vmState: 'stopped', taskState: null });
    await move('deposit', '0.01');
    await round(4000);
    expect((await types()).at(-1)).toBe('billing.account.resumed');
    expect((await cloud.row(running)).taskState).toBe('powering-on');
  });

  it('leaves to its owner what an operator started and its owner stopped again', async () => {
    const { running } = await usedUp({ grace_hours: 0 });
    await round(1000);
    await cloud.put(running, { vmState: 'active', taskState: null });
    await round(2000);
    await stopped(running);
    await move('deposit', '1.00');
    await round(3000);
    expect((await types()).at(-1)).toBe('billing.account.resumed');
    expect(await cloud.row(running)).toMatchObject({ vmState: 'stopped', taskState: null });
  });

  it('may stop and delete, but make and start nothing; an operator may, and is not undone', async () => {
    const { running, own } = await usedUp({ grace_hours: 0 });
    await round(1000);
    await stopped(running);
    const start = (id: string, as = cloud.user) =>
      cloud.call('POST', `/servers/${id}/action`, { body: { 'os-start': null }, as });
    const refused = await start(running);
    expect([refused.status, await refused.json()]).toEqual([
      403,
      { forbidden: { code: 403, message: expect.stringMatching(/used up or suspended/) } },
    ]);
    expect(await cloud.refusal({})).toEqual([403, expect.stringMatching(/used up or suspended/)]);
    const resize = { resize: { flavorRef: await cloud.addFlavor({ ramMib: 1024 }) } };
    expect((await cloud.call('POST', `/servers/${own}/action`, { body: resize })).status).toBe(403);
    const image = await call('POST', `/r/${cloud.region}/image/v2/images`, {
      token: cloud.user.token,
      body: { name: 'i' },
    });
    expect(image.status).toBe(403);
    const router = await call('POST', `/r/${cloud.region}/networking/v2.0/routers`, {
      token: cloud.user.token,
      body: { router: {} },
    });
    expect([router.status, await router.json()]).toEqual([
      403,
      { NeutronError: expect.objectContaining({ message: expect.stringMatching(/used up or suspended/) }) },
    ]);
    expect((await start(running, cloud.admin)).status).toBe(202);
    await cloud.put(running, { vmState: 'active', taskState: null });
    await round(2000);
    expect((await cloud.row(running)).taskState).toBeNull();
    expect((await cloud.call('DELETE', `/servers/${own}`)).status).toBe(204);
  });

  it('is told, and then loses what it has, if it does not pay to the end', async () => {
    const { running, own } = await usedUp({ grace_hours: 24, delete_after_days: 5 });
    const kept = { projectId: cloud.user.projectId, protected: true };
    const [image, guarded] = [
      await cloud.addImage({ projectId: cloud.user.projectId, visibility: 'private' }),
      await cloud.addImage({ ...kept, visibility: 'private' }),
    ];
    const begun = Date.now();
    await round(DAY_MS);
    await stopped(running);
    await round(3 * DAY_MS - HOUR_MS);
    expect((await types()).at(-1)).toBe('billing.account.suspended');
    await round(3 * DAY_MS);
    const warning = (await told()).at(-1);
    expect(warning?.type).toBe('billing.account.deletion_due');
    const at = Date.parse(String(warning?.data.delete_at));
    expect([at - begun >= 6 * DAY_MS, at - begun < 6 * DAY_MS + 60_000]).toEqual([true, true]);
    await round(6 * DAY_MS - HOUR_MS);
    expect((await cloud.row(own)).taskState).toBeNull();
    await round(6 * DAY_MS + HOUR_MS);
    expect((await types()).at(-1)).toBe('billing.account.deletion_due');
    for (const id of [running, own]) {
      expect((await cloud.row(id)).taskState).toBe('deleting');
      await cloud.put(id, { deletedAtMs: Date.now(), taskState: null, vmState: 'deleted' });
    }
    await round(6 * DAY_MS + 2 * HOUR_MS);
    await round(6 * DAY_MS + 3 * HOUR_MS);
    expect((await types()).slice(-2)).toEqual(['billing.account.deletion_due', 'billing.account.emptied']);
    const states = await ctx.db
      .select({ id: images.id, status: images.status })
      .from(images)
      .where(sql`id IN (${image}, ${guarded})`);
    expect(Object.fromEntries(states.map(({ id, status }) => [id, status]))).toEqual({
      [image]: 'deleted',
      [guarded]: 'active',
    });
  });

  it('loses its floating IPs, too, and what they forward', async () => {
    const outside = { as: cloud.admin, 'router:external': true, 'provider:network_type': 'local' };
    const external = (await cloud.addNetwork('192.0.2.0/24', outside)).networkId;
    const inside = await cloud.addNetwork();
    const gateway = { external_gateway_info: { network_id: external } };
    const { router } = await cloud.make<{ router: { id: string } }>('routers', { router: gateway });
    const plugged = await call('PUT', `/r/${cloud.region}/networking/v2.0/routers/${router.id}/add_router_interface`, {
      token: cloud.user.token,
      body: { subnet_id: inside.subnetId },
    });
    expect(plugged.status).toBe(200);
    const { port } = await cloud.make<{ port: { id: string; fixed_ips: { ip_address: string }[] } }>('ports', {
      port: { network_id: inside.networkId },
    });
    const { floatingip } = await cloud.make<{ floatingip: { id: string } }>('floatingips', {
      floatingip: { floating_network_id: external },
    });
    await cloud.make(`floatingips/${floatingip.id}/port_forwardings`, {
      port_forwarding: {
        ...{ protocol: 'tcp', internal_port: 80, external_port: 8080, internal_port_id: port.id },
        internal_ip_address: port.fixed_ips[0]?.ip_address,
      },
    });
    await patch({ mode: 'prepaid', grace_hours: 0, delete_after_days: 1 });
    await round(0);
    await round(1000);
    await round(DAY_MS + HOUR_MS);
    await round(DAY_MS + 2 * HOUR_MS);
    expect((await types()).at(-1)).toBe('billing.account.emptied');
    expect(await ctx.db.all(sql`SELECT 1 FROM floating_ips WHERE region = ${cloud.region}`)).toEqual([]);
  });

  it('loses nothing when it pays at the last moment, or when its ladder is taken away', async () => {
    const { running } = await usedUp({ grace_hours: 0, delete_after_days: 1 });
    await round(1000);
    await stopped(running);
    await round(DAY_MS - HOUR_MS);
    await move('deposit', '1.00');
    laterMs = DAY_MS + HOUR_MS;
    // The farmer has not been there yet: the balance itself counts.
    await climbLadder({ ...ctx, requestId: 'req-paid' });
    expect((await cloud.row(running)).taskState).toBe('powering-on');
    await stopped(running);
    await move('withdrawal', '1.00');
    await round(DAY_MS + 2 * HOUR_MS);
    await round(DAY_MS + 2 * HOUR_MS + 1000);
    expect((await types()).at(-1)).toBe('billing.account.deletion_due');
    await patch({ grace_hours: null });
    await round(9 * DAY_MS);
    expect((await types()).at(-1)).toBe('billing.account.resumed');
    expect((await cloud.row(running)).deletedAtMs).toBeNull();
  });

  it('has a day at least from when it is told, whatever its days become meanwhile', async () => {
    await usedUp({ grace_hours: 0, delete_after_days: 100 });
    await round(1000);
    await round(20 * DAY_MS);
    await patch({ delete_after_days: 1 });
    await round(20 * DAY_MS + 1000);
    await round(20 * DAY_MS + 23 * HOUR_MS);
    const rows = await ctx.db.all(
      sql`SELECT 1 FROM servers WHERE region = ${cloud.region} AND task_state = 'deleting'`,
    );
    expect([(await types()).at(-1), rows]).toEqual(['billing.account.deletion_due', []]);
  });

  it('is led to the same end by rounds that stop at any batch, and told each step once', async () => {
    const { running, own } = await usedUp({ grace_hours: 24, delete_after_days: 5 });
    const moments = [DAY_MS, 3 * DAY_MS, 6 * DAY_MS + HOUR_MS];
    for (const [at, afterMs] of moments.entries()) {
      for (let k = 1; k <= 6; k += 1) {
        laterMs = afterMs + k * 1000;
        const { db, crashed } = crashing(k);
        await climbLadder({ ...ctx, db, requestId: `req-${at}-${k}`, log: { info: () => {}, error: () => {} } }).catch(
          () => {},
        );
        expect(crashed() || k > 1, `moment ${at}, batch ${k}`).toBe(true);
      }
      await round(afterMs + HOUR_MS / 2);
      if (at === 0) await stopped(running);
    }
    for (const id of [running, own])
      await cloud.put(id, { deletedAtMs: Date.now(), taskState: null, vmState: 'deleted' });
    await round(7 * DAY_MS);
    expect(await types()).toEqual([
      'billing.balance.exhausted',
      'billing.account.suspended',
      'billing.account.deletion_due',
      'billing.account.emptied',
    ]);
  });

  /** The database, gone for good once its k-th batch is written. */
  function crashing(k: number) {
    let calls = 0;
    let dead = false;
    const db = new Proxy(ctx.db, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (dead) throw new Error('crash');
        if (name !== 'batch') return typeof member === 'function' ? member.bind(target) : member;
        return async (statements: never) => {
          const result = await target.batch(statements);
          calls += 1;
          dead = calls === k;
          if (dead) throw new Error('crash');
          return result;
        };
      },
    });
    return { db, crashed: () => dead };
  }
});

it('an account that a project gets by itself is as the region says', async () => {
  const url = `/r/${cloud.region}/aerostat/v1/billing/defaults`;
  const defaults = {
    mode: 'prepaid',
    currency: 'CNY',
    credit_limit: '5',
    low_balance: '1',
    grace_hours: 72,
    delete_after_days: 30,
  };
  const put = await call('PUT', url, { token: cloud.admin.token, body: { defaults } });
  const answer = { ...defaults, credit_limit: '5.00', low_balance: '1.00' };
  expect([put.status, await put.json()]).toEqual([200, { defaults: answer }]);
  await runBatch(ctx.db, ensureAccount(ctx, 'another'));
  const [row] =
    await ctx.db.all(sql`SELECT mode, currency, credit_limit_micros, low_micros, grace_hours, delete_after_days
    FROM billing_accounts WHERE id = ${`${cloud.region}.another`}`);
  expect(row).toEqual({
    mode: 'prepaid',
    currency: 'CNY',
    credit_limit_micros: 5_000_000,
    low_micros: 1_000_000,
    grace_hours: 72,
    delete_after_days: 30,
  });
  const bad = { ...defaults, credit_limit: '5.001' };
  expect((await call('PUT', url, { token: cloud.admin.token, body: { defaults: bad } })).status).toBe(400);
});
