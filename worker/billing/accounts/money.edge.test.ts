import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { EVENT_TYPES, type EventTypeName } from '../../../shared/event-types.ts';
import { at, BillingWorld } from '../../../test/billing/billing-world.ts';
import { runBatch } from '../../http/commit.ts';
import { admit } from '../admission/admit.ts';
import { farmRound } from '../farmer/farm-round.ts';
import { detailReport } from '../reports/detail-report.ts';
import { offerFor } from '../reports/quote.ts';
import { scopeAccount } from '../scope.ts';
import { accountMoney } from './account-money.ts';
import { createBudget } from './budgets.ts';
import { createVoucher } from './create-voucher.ts';
import { ensureAccount } from './default-account.ts';
import { moveMoney } from './move-money.ts';
import { updateAccount } from './update-account.ts';

let world: BillingWorld;
beforeEach(async () => {
  world = new BillingWorld('2026-01-10T08:30:00Z');
  await runBatch(world.ctx.db, ensureAccount(world.ctx, world.projectId));
});

const deposit = (amount: string, reference = crypto.randomUUID()) =>
  moveMoney(world.ctx, world.accountId, 'deposit', { amount, currency: 'EUR', reference, description: '' });
const voucher = (amount: string, expires: string, reference: string = crypto.randomUUID()) =>
  createVoucher(world.ctx, world.accountId, {
    amount,
    currency: 'EUR',
    expires_at: at(expires),
    reason: 'welcome',
    reference,
  });
const money = async () => {
  const account = await scopeAccount(world.ctx, 'billing:accounts:show', world.accountId);
  return (await accountMoney(world.ctx, account)).balances;
};
const told = async () =>
  (
    await world.ctx.db.all<{ type: EventTypeName; resourceId: string; version: number; data: string }>(
      sql`SELECT type, resource_id AS "resourceId", version, data FROM events WHERE region = ${world.region} ORDER BY sequence`,
    )
  ).map((row) => ({ ...row, data: EVENT_TYPES[row.type].data.parse(JSON.parse(row.data)) as Record<string, unknown> }));

describe('money', () => {
  it('moves once a reference, and is paid out only where it is', async () => {
    const first = await deposit('12.50', 'bank/1');
    expect(await deposit('12.50', 'bank/1')).toEqual(first);
    await Promise.all([1, 2, 3, 4].map(() => deposit('1.00', 'bank/2')));
    await expect(deposit('13.00', 'bank/1')).rejects.toThrow(/another movement/);
    await expect(deposit('0.001')).rejects.toThrow(/too many digits/);
    expect(await money()).toEqual([{ currency: 'EUR', ownMicros: 13_500_000, voucherMicros: 0 }]);
    const out = (amount: string) =>
      moveMoney(world.ctx, world.accountId, 'withdrawal', {
        amount,
        currency: 'EUR',
        reference: crypto.randomUUID(),
        description: '',
      });
    const outs = await Promise.allSettled([1, 2, 3].map(() => out('5.00')));
    expect(outs.filter(({ status }) => status === 'fulfilled')).toHaveLength(2);
    await expect(out('3.51')).rejects.toThrow(/does not hold/);
    expect(await money()).toMatchObject([{ ownMicros: 3_500_000 }]);
    expect(await world.balance(`cash:${world.region}`)).toBe(-350);
    expect(await world.violations()).toEqual([]);
  });

  it('of vouchers is spent first, by what ends soonest; what is left at its end is taken back', async () => {
    await world.product();
    await deposit('5.00');
    await voucher('0.15', '2026-01-20T00:00:00Z', 'b');
    await voucher('0.12', '2026-01-15T00:00:00Z', 'a');
    await voucher('0.50', '2026-01-10T09:30:00Z', 'c');
    const vm = await world.open('2026-01-10T09:00:00Z');
    const of = (reference: string) => world.balance(`voucher:${world.accountId}.${reference}`);
    await world.farm('2026-01-10T11:01:00Z');
    // The first hour is known at 10:00: c is over by then. 0.12 of a, then 0.08 of b.
    expect([await of('a'), await of('b'), await of('c')]).toEqual([0, 7, 0]);
    expect(await world.balance(`breakage:${world.region}`)).toBe(50);
    await world.farm('2026-01-10T12:01:00Z');
    expect([await of('b'), (await money())[0]?.ownMicros]).toEqual([0, 4_970_000]);
    await world.change(vm, '2026-01-10T12:30:00Z', null);
    await world.farm('2026-01-10T13:00:00Z');
    expect((await money())[0]?.ownMicros).toBe(4_920_000);
    expect(await world.violations()).toEqual([]);
    const [day] = await detailReport(world.ctx, {
      project_id: world.projectId,
      from: at('2026-01-10T00:00:00Z'),
      to: at('2026-01-11T00:00:00Z'),
      period: 'days',
    });
    expect(day).toMatchObject({
      day: '2026-01-10',
      total_cost: '0.35',
      voucher_cost: '0.27',
      money_cost: '0.08',
      money_left: '4.92',
      voucher_left: '0.00',
    });
  });

  it('that is given back is money only as far as it was paid in money', async () => {
    await world.product({ prepaid: true, interval: 'daily' });
    await voucher('1.00', '2026-02-01T00:00:00Z', 'a');
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    expect([await world.balance(`voucher:${world.accountId}.a`), (await money())[0]?.ownMicros]).toEqual([0, -200_000]);
    await world.change(vm, '2026-01-10T15:00:00Z', null);
    await world.farm('2026-01-10T15:01:00Z');
    expect(await world.cents()).toEqual([120, -90]);
    expect([await world.balance(`voucher:${world.accountId}.a`), (await money())[0]?.ownMicros]).toEqual([70, 0]);
    expect(await world.violations()).toEqual([]);
  });

  it('that is given back goes to the account that paid it', async () => {
    await world.product({ prepaid: true, interval: 'daily' });
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    const other = `${world.region}.other`;
    await runBatch(world.ctx.db, ensureAccount(world.ctx, 'other'));
    await world.ctx.db.run(
      sql`UPDATE billing_account_projects SET account_id = ${other} WHERE project_id = ${world.projectId}`,
    );
    await world.change(vm, '2026-01-10T15:00:00Z', null);
    await world.farm('2026-01-10T15:01:00Z');
    expect(await world.cents()).toEqual([120, -90]);
    expect(await world.balance(`customer:${world.accountId}`)).toBe(-30);
    expect(await world.balance(`customer:${other}`)).toBe(0);
    expect(await world.violations()).toEqual([]);
  });

  it('of a voucher waits for what a machine that is away has still to tell', async () => {
    const price = world.price({ model: 'per_unit', unit_price: '1' });
    await world.product({ item: 'floating_ip.egress.bytes', item_type: 'default', order_unit: 'GB', price });
    await voucher('10.00', '2026-01-10T12:00:00Z', 'a');
    const [ip, near, far] = [crypto.randomUUID(), `near-${world.region}`, `far-${world.region}`];
    for (const runner of [near, far]) await world.seal(ip, '2026-01-10T09:00:00Z', 1e9, { runner });
    await world.farm('2026-01-10T10:05:00Z');
    await world.seal(ip, '2026-01-10T10:00:00Z', 5e9, { runner: near });
    await world.farm('2026-01-10T11:05:00Z');
    await world.farm('2026-01-10T12:05:00Z');
    for (const runner of [near, far]) await world.sealedThrough(at('2026-01-10T13:00:00Z'), runner);
    await world.farm('2026-01-10T13:20:00Z');
    expect(await world.balance(`customer:${world.accountId}`)).toBe(0);
    expect(await world.balance(`breakage:${world.region}`)).toBe(300);
    expect(await world.violations()).toEqual([]);
  });

  it('of a voucher pays what an invoice is rounded by, too', async () => {
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '0.005' }) });
    await voucher('10.00', '2026-12-10T12:00:00Z', 'a');
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.change(vm, '2026-01-10T12:00:00Z', null);
    await world.farm('2026-02-05T13:00:00Z');
    expect(await world.balance(`customer:${world.accountId}`)).toBe(0);
    expect(await world.balance(`voucher:${world.accountId}.a`)).toBe(998);
  });

  it('of a voucher is given once a reference', async () => {
    const first = await voucher('1.00', '2026-02-01T00:00:00Z', 'a');
    expect(await voucher('1.00', '2026-02-01T00:00:00Z', 'a')).toEqual(first);
    await expect(voucher('2.00', '2026-02-01T00:00:00Z', 'a')).rejects.toThrow(/another voucher/);
    await expect(voucher('2.00', '2026-01-01T00:00:00Z')).rejects.toThrow(/past/);
    expect((await money())[0]?.voucherMicros).toBe(1_000_000);
  });
});

describe('an account', () => {
  it('that is prepaid tells when it runs low, runs out and has something again; each once', async () => {
    await world.product();
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid', low_balance: '0.25' });
    await deposit('0.40');
    await farmRound(world.ctx);
    await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-10T11:01:00Z');
    await world.farm('2026-01-10T11:02:00Z');
    await world.farm('2026-01-10T14:01:00Z');
    await deposit('5.00');
    await world.farm('2026-01-10T14:02:00Z');
    const events = await told();
    expect(events.map(({ type }) => type)).toEqual([
      'billing.purchase.created',
      'billing.balance.low',
      'billing.purchase.created',
      'billing.balance.exhausted',
      'billing.balance.restored',
    ]);
    expect(events.map(({ version }) => version)).toEqual([1, 2, 3, 4, 5]);
    expect(events[0]?.data).toMatchObject({ amount_micros: 200_000, purchases: 2, currency: 'EUR' });
    expect(events[3]?.data).toMatchObject({ available_micros: -100_000 });
  });

  it('has a budget that tells of each threshold, once a month', async () => {
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '1' }) });
    await createBudget(world.ctx, world.accountId, { name: 'b', amount: '10', currency: 'EUR', thresholds: [50, 100] });
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-10T13:01:00Z');
    await world.farm('2026-01-10T14:01:00Z');
    await world.farm('2026-01-10T15:01:00Z');
    await world.farm('2026-01-10T20:01:00Z');
    await world.change(vm, '2026-01-10T20:30:00Z', null);
    await world.farm('2026-02-01T20:01:00Z');
    const alerts = (await told()).filter(({ type }) => type === 'billing.budget.reached');
    expect(alerts.map(({ version, data }) => [version, data.percent, data.spent_micros])).toEqual([
      [1, 50, 5_000_000],
      [2, 100, 11_000_000],
    ]);
  });
});

describe('a create', () => {
  const wanted = () => ({
    projectId: world.projectId,
    resourceId: crypto.randomUUID(),
  });
  const offer = () => offerFor(world.ctx, 'server', 'm1');
  const create = async () => runBatch(world.ctx.db, admit(world.ctx, await offer(), wanted()));

  it('of a prepaid account is refused where the balance does not hold it, however many race', async () => {
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '1' }) });
    world.nowMs = at('2026-01-10T09:00:00Z');
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid' });
    await expect(create()).rejects.toThrow(/does not hold/);
    await deposit('3.50');
    const made = await Promise.allSettled(Array.from({ length: 10 }, create));
    expect(made.filter(({ status }) => status === 'fulfilled')).toHaveLength(3);
    for (const one of made) if (one.status === 'rejected') expect(one.reason).toMatchObject({ status: 403 });
    // A claim whose create came to nothing is free again.
    await world.farm('2026-01-10T12:00:00Z');
    await create();
  });

  it('holds its claim until its first interval is over, however long that is', async () => {
    await world.product({ interval: 'daily', price: world.price({ model: 'per_unit', unit_price: '1' }) });
    world.nowMs = at('2026-01-10T09:00:00Z');
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid' });
    await deposit('15.00');
    await create();
    await world.farm('2026-01-10T23:00:00Z');
    await expect(Promise.all([create(), create(), create(), create(), create()])).rejects.toThrow(/does not hold/);
    expect((await money())[0]?.ownMicros).toBe(15_000_000);
  });

  it('turns its claim into a purchase', async () => {
    await world.product({ prepaid: true, price: world.price({ model: 'per_unit', unit_price: '1' }) });
    world.nowMs = at('2026-01-10T09:00:00Z');
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid' });
    await deposit('2.00');
    const of = wanted();
    await runBatch(world.ctx.db, admit(world.ctx, await offer(), of));
    await world.open('2026-01-10T09:00:00Z', { resourceId: of.resourceId });
    await world.farm('2026-01-10T09:01:00Z');
    expect((await money())[0]?.ownMicros).toBe(1_000_000);
    await create();
    await expect(create()).rejects.toThrow(/does not hold/);
  });

  it('of a server that is resized keeps the claim of its new flavor until that one is charged', async () => {
    const price = world.price({ model: 'per_unit', unit_price: '1' });
    await world.product({ price });
    await world.product({ item_type: 'm2', interval: 'daily', price });
    world.nowMs = at('2026-01-10T09:00:00Z');
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid' });
    await deposit('17.00');
    const of = wanted();
    const claim = async (type: string) =>
      runBatch(world.ctx.db, admit(world.ctx, await offerFor(world.ctx, 'server', type), of));
    await claim('m1');
    await world.open('2026-01-10T09:00:00Z', { resourceId: of.resourceId });
    await claim('m2');
    await world.change(of.resourceId, '2026-01-10T09:00:30Z', { itemType: 'm2' });
    const left = () =>
      world.ctx.db.all(sql`SELECT amount_micros AS micros FROM billing_holds WHERE region = ${world.region}`);
    expect(await left()).toEqual([{ micros: 1_000_000 }, { micros: 15_000_000 }]);
    await world.farm('2026-01-10T09:01:00Z');
    expect(await left()).toEqual([{ micros: 15_000_000 }]);
    await expect(Promise.all([create(), create(), create()])).rejects.toThrow(/does not hold/);
    await world.farm('2026-01-11T00:01:00Z');
    expect(await left()).toEqual([]);
  });

  it('of what never ran gives its claim back when that is deleted', async () => {
    await world.product({ interval: 'monthly', price: world.price({ model: 'flat', amount: '10' }) });
    world.nowMs = at('2026-01-10T09:00:00Z');
    await updateAccount(world.ctx, world.accountId, { mode: 'prepaid' });
    await deposit('10.00');
    const of = wanted();
    await runBatch(world.ctx.db, admit(world.ctx, await offer(), of));
    await world.open('2026-01-10T09:00:00Z', { resourceId: of.resourceId, state: 'error' });
    await world.farm('2026-01-10T09:01:00Z');
    await expect(create()).rejects.toThrow(/does not hold/);
    await world.change(of.resourceId, '2026-01-10T09:02:00Z', null);
    await world.farm('2026-01-10T09:03:00Z');
    await create();
  });

  it('of an account without a limit, or of what costs nothing, passes', async () => {
    expect(admit(world.ctx, await offer(), wanted())).toEqual([]);
    await world.product();
    world.nowMs = at('2026-01-10T09:00:00Z');
    await create();
    await updateAccount(world.ctx, world.accountId, { credit_limit: '0.15' });
    await expect(create()).rejects.toThrow(/does not hold/);
  });
});
