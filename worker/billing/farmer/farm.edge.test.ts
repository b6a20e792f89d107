import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { formatRational, readRational } from '../../../shared/money.ts';
import { at, BillingWorld, HOUR } from '../../../test/billing/billing-world.ts';
import { planVisits } from '../rating/plan-visits.ts';
import { rowOf } from '../rows.ts';
import { bookVisits, UNCHANGED } from './book-visits.ts';
import { farmRound } from './farm-round.ts';
import { knownAt, readRows, type SubscriptionRow } from './read-rateables.ts';

describe('a server that is paid by the hour, afterwards', () => {
  it('is charged for each second, by its state, and never again', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({
      price: world.price({ model: 'per_unit', unit_price: '0.60', weights: { stopped: '0.5', shelved: '0' } }),
    });
    const vm = await world.open('2026-01-10T09:15:00Z');
    await world.farm('2026-01-10T10:00:10Z');
    await world.change(vm, '2026-01-10T10:30:00Z', { state: 'stopped' });
    await world.farm('2026-01-10T11:00:10Z');
    await world.change(vm, '2026-01-10T11:20:00Z', { state: 'shelved' });
    await world.farm('2026-01-10T12:00:10Z');
    await world.change(vm, '2026-01-10T12:45:00Z', null);
    await world.farm('2026-01-10T13:00:10Z');
    // 45 min; 30 min and 30 at half; 20 min at half; nothing.
    expect(await world.cents()).toEqual([45, 45, 10]);
    await world.farm('2026-01-12T00:00:00Z');
    expect(await world.cents()).toEqual([45, 45, 10]);
    expect(await world.balance(`customer:${world.accountId}`)).toBe(-100);
    expect(await world.balance(`revenue:${world.region}`)).toBe(100);
    expect(await world.violations()).toEqual([]);
  });

  it('is one subscription while it lives, and another as another flavor', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    await world.product({ item_type: 'm2', price: world.price({ model: 'per_unit', unit_price: '0.20' }) });
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.change(vm, '2026-01-10T10:00:00Z', { state: 'stopped' });
    await world.change(vm, '2026-01-10T11:00:00Z', { itemType: 'm2', state: 'active' });
    await world.farm('2026-01-10T13:00:10Z');
    const rows = await world.ctx.db.all(
      sql`SELECT item_type, start_ms, end_ms FROM billing_subscriptions WHERE resource_id = ${vm} ORDER BY start_ms`,
    );
    expect(rows).toEqual([
      { item_type: 'm1', start_ms: at('2026-01-10T09:00:00Z'), end_ms: at('2026-01-10T11:00:00Z') },
      { item_type: 'm2', start_ms: at('2026-01-10T11:00:00Z'), end_ms: null },
    ]);
    expect(await world.cents()).toEqual([10, 10, 20, 20]);
  });

  it('sums to the exact whole, not to a sum of rounded hours', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '0.0033333' }) });
    await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-20T09:00:10Z');
    const rows = await world.purchases();
    expect(rows.reduce((sum, { cents }) => sum + cents, 0)).toBeCloseTo(79.9992, 9);
    expect(rows.length).toBe(240);
  });

  it('costs what was said before it was used, whatever is said later', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const product = await world.product();
    await world.open('2026-01-10T09:30:00Z');
    await world.farm('2026-01-10T10:30:00Z');
    await world.reprice(product, { model: 'per_unit', unit_price: '1' }, '2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T14:00:10Z');
    expect(await world.cents()).toEqual([5, 10, 10, 100, 100]);
    await expect(
      world.reprice(product, { model: 'per_unit', unit_price: '0' }, '2026-01-10T12:00:00Z'),
    ).rejects.toThrow(/begins in the future/);
  });

  it('that runs before it has a price is charged from its price on, even if it is gone by then', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const [long, short] = [await world.open('2026-01-10T08:00:00Z'), await world.open('2026-01-10T08:10:00Z')];
    await world.product();
    await world.farm('2026-01-10T08:59:00Z');
    expect(await world.purchases()).toEqual([]);
    await world.change(short, '2026-01-10T09:30:00Z', null);
    await world.farm('2026-01-10T10:00:10Z');
    const booked = (await world.purchases()).map(({ resource, cents }) => [resource, cents]);
    expect(booked).toEqual(
      [
        [long, 10],
        [short, 5],
      ].sort(),
    );
  });
});

describe('a subscription', () => {
  it('costs nothing in states in which nothing runs, unless the price names them', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const weights = { 'soft-delete': '1' };
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '0.10', weights }) });
    for (const state of ['error', 'building', 'soft-delete']) await world.open('2026-01-10T09:00:00Z', { state });
    await world.farm('2026-01-10T10:00:10Z');
    expect((await world.cents()).filter((cents) => cents !== 0)).toEqual([10]);
  });

  it('is charged however often its resource changes its state', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const vm = await world.open('2026-01-10T09:00:00Z');
    const changes = 10_050;
    const begun = Date.parse('2026-01-10T09:00:00Z');
    await world.ctx.db.run(sql`
      WITH RECURSIVE change (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM change WHERE n < ${changes})
      INSERT INTO usage_spans (region, project_id, resource_type, resource_id, resource_name, item_type, state, start_ms, end_ms)
      SELECT span.region, span.project_id, span.resource_type, span.resource_id, span.resource_name, span.item_type, 'paused',
        ${begun} + n * 10, ${begun} + n * 10 + 10 FROM change JOIN usage_spans span ON span.resource_id = ${vm} AND span.end_ms IS NULL`);
    await world.ctx.db.run(
      sql`UPDATE usage_spans SET end_ms = ${begun + 10} WHERE resource_id = ${vm} AND end_ms IS NULL`,
    );
    await world.ctx.db.run(
      sql`UPDATE usage_spans SET end_ms = ${begun + 3_600_000} WHERE resource_id = ${vm} AND start_ms = ${begun + changes * 10}`,
    );
    await world.farm('2026-01-10T10:00:10Z');
    expect((await world.cents()).reduce((sum, cents) => sum + cents, 0)).toBeCloseTo(9.9999, 9);
  });

  it.each([true, false])(
    'that was closed goes on with the span that follows, charged once (prepaid: %s)',
    async (prepaid) => {
      const world = new BillingWorld('2026-01-10T08:30:00Z');
      await world.product({ prepaid });
      const vm = await world.open('2026-01-10T09:00:00Z');
      await world.change(vm, '2026-01-10T10:15:00Z', null);
      await world.farm('2026-01-10T10:30:00Z');
      await world.open('2026-01-10T10:15:00Z', { resourceId: vm });
      await world.farm('2026-01-10T12:00:10Z');
      const sum = (await world.cents()).reduce((a, b) => a + b, 0);
      expect(sum).toBe(prepaid ? 40 : 30);
      const rows = await world.ctx.db.all(sql`SELECT end_ms FROM billing_subscriptions WHERE resource_id = ${vm}`);
      expect(rows).toEqual([{ end_ms: null }]);
      expect(await world.violations()).toEqual([]);
    },
  );

  it('whose end was missed is closed when it is held against the spans, and given back what was charged after', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ prepaid: true, interval: 'daily' });
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    await world.change(vm, '2026-01-10T13:00:00Z', null);
    await world.ctx.db.run(
      sql`UPDATE billing_subscriptions SET end_ms = NULL, due_ms = ${at('2026-01-11T00:00:00Z')} WHERE resource_id = ${vm}`,
    );
    await world.farm('2026-01-10T14:00:00Z');
    expect(await world.cents()).toEqual([120, -110]);
  });

  it.each([true, false])('goes on after a resize there and back, in its month (prepaid: %s)', async (prepaid) => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const terms = { model: 'per_unit', unit_price: '0.10', included: '1', minimum: '0.50' };
    await world.product({ prepaid, price: world.price(terms) });
    const vm = await world.open('2026-01-31T18:00:00Z');
    await world.change(vm, '2026-01-31T19:30:00Z', { itemType: 'm2' });
    await world.farm('2026-01-31T20:00:10Z');
    await world.change(vm, '2026-01-31T20:15:00Z', { itemType: 'm1' });
    await world.farm('2026-01-31T21:00:10Z');
    await world.change(vm, '2026-01-31T21:15:00Z', { itemType: 'm2' });
    await world.farm('2026-02-01T01:00:10Z');
    // 2.5 hours less the one that is included: the minimum, once.
    expect((await world.cents()).reduce((sum, cents) => sum + cents, 0)).toBe(50);
    await world.change(vm, '2026-02-01T02:00:00Z', { itemType: 'm1' });
    await world.change(vm, '2026-02-01T02:30:00Z', null);
    await world.farm('2026-02-01T03:00:10Z');
    const rows = await world.ctx.db.all(
      sql`SELECT start_ms, end_ms FROM billing_subscriptions WHERE resource_id = ${vm} ORDER BY start_ms`,
    );
    expect(rows).toEqual([
      { start_ms: at('2026-01-31T18:00:00Z'), end_ms: at('2026-01-31T21:15:00Z') },
      { start_ms: at('2026-02-01T02:00:00Z'), end_ms: at('2026-02-01T02:30:00Z') },
    ]);
    expect((await world.cents()).reduce((sum, cents) => sum + cents, 0)).toBe(100);
    expect(await world.violations()).toEqual([]);
  });

  it.each([0, 1000])('goes on when its resource is handed over and back within %s ms', async (ms) => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-10T10:00:10Z');
    const away = at('2026-01-10T10:30:00Z');
    await world.change(vm, away, { projectId: 'b' });
    await world.change(vm, away + ms, { projectId: world.projectId });
    await world.farm('2026-01-10T17:00:10Z');
    const [row] = await world.ctx.db.all<{ n: number }>(
      sql`SELECT count(*) AS n FROM billing_subscriptions WHERE resource_id = ${vm} AND project_id = ${world.projectId}`,
    );
    expect(row?.n).toBe(1);
    expect((await world.cents()).reduce((sum, cents) => sum + cents, 0)).toBeCloseTo(80, 2);
  });

  it('of another project begins where its resource was handed over', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.change(vm, '2026-01-10T09:30:00Z', { projectId: 'another' });
    await world.farm('2026-01-10T11:00:10Z');
    const paid = await world.ctx.db.all(
      sql`SELECT project_id AS project, sum(amount_micros) AS micros FROM billing_purchases WHERE region = ${world.region} GROUP BY project_id ORDER BY micros`,
    );
    expect(paid).toEqual([
      { project: world.projectId, micros: 50_000 },
      { project: 'another', micros: 150_000 },
    ]);
  });

  it('that cannot be rated says why and keeps no other waiting', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const [bad, good] = [await world.open('2026-01-10T09:00:00Z'), await world.open('2026-01-10T09:00:00Z')];
    await world.ctx.db.run(sql`UPDATE usage_spans SET quantity = ${2 ** 53} WHERE resource_id = ${bad}`);
    const quiet = { ...world.ctx, log: { info: () => {}, error: () => {} } };
    await world.farm('2026-01-10T10:00:10Z', quiet);
    expect((await world.purchases()).map(({ resource }) => resource)).toEqual([good]);
    const faults = await world.ctx.db.all<{ fault: string }>(
      sql`SELECT fault FROM billing_subscriptions WHERE region = ${world.region} AND fault IS NOT NULL`,
    );
    expect(faults).toEqual([{ fault: expect.stringMatching(/too large/) }]);
    await world.ctx.db.run(sql`UPDATE usage_spans SET quantity = 1 WHERE resource_id = ${bad}`);
    await world.farm('2026-01-10T10:11:00Z', quiet);
    expect(await world.cents()).toEqual([10, 10]);
  });
});

describe('a server that is paid before', () => {
  const prepaid = { prepaid: true, interval: 'daily' as const };

  it('is charged at the start of each day, and given back what it does not use, when it does not', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product(prepaid);
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:00:06Z');
    expect(await world.cents()).toEqual([120]);
    await world.farm('2026-01-11T00:00:06Z');
    expect(await world.cents()).toEqual([120, 240]);
    await world.change(vm, '2026-01-11T06:30:00Z', null);
    await world.farm('2026-01-11T06:31:00Z');
    expect(await world.cents()).toEqual([120, 240, -175]);
    const [, , refund] = await world.purchases();
    expect([refund?.fromMs, refund?.throughMs]).toEqual([at('2026-01-11T06:30:00Z'), at('2026-01-12T00:00:00Z')]);
    expect(await world.balance(`customer:${world.accountId}`)).toBe(-185);
    expect(await world.violations()).toEqual([]);
  });

  it('is charged by the state that it changes to, at once', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({
      ...prepaid,
      price: world.price({ model: 'per_unit', unit_price: '0.10', weights: { stopped: '0.5' } }),
    });
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    await world.change(vm, '2026-01-10T18:00:00Z', { state: 'stopped' });
    await world.farm('2026-01-10T18:01:00Z');
    await world.change(vm, '2026-01-10T20:00:00Z', { state: 'active' });
    await world.farm('2026-01-10T20:01:00Z');
    expect(await world.cents()).toEqual([120, -30, 20]);
  });

  it('changes its price when the price begins', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const product = await world.product(prepaid);
    await world.open('2026-01-10T12:00:00Z');
    await world.reprice(product, { model: 'per_unit', unit_price: '0.30' }, '2026-01-10T18:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    expect(await world.cents()).toEqual([120]);
    await world.farm('2026-01-10T18:01:00Z');
    expect(await world.cents()).toEqual([120, -60, 180]);
  });
});

describe('what is metered', () => {
  const egress = {
    item: 'floating_ip.egress.bytes',
    item_type: 'default',
    order_unit: 'GB',
    interval: 'hourly' as const,
  };
  const tiered = (world: BillingWorld) =>
    world.price({
      model: 'graduated',
      included: '1',
      tiers: [
        { up_to: '10', unit_price: '0.10' },
        { up_to: null, unit_price: '0.05' },
      ],
    });
  const GB = 1e9;
  /** A world where a gigabyte costs a euro. */
  const metered = async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ ...egress, price: world.price({ model: 'per_unit', unit_price: '1' }) });
    return world;
  };

  it('is charged by sealed hours, over the tiers of its month', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ ...egress, price: tiered(world) });
    const ip = crypto.randomUUID();
    await world.seal(ip, '2026-01-10T09:00:00Z', 0.5 * GB);
    await world.seal(ip, '2026-01-10T10:00:00Z', 2.5 * GB);
    await world.seal(ip, '2026-01-10T11:00:00Z', 10 * GB);
    await world.farm('2026-01-10T12:00:10Z');
    // Nothing of the first GB; then 2; then 8 and 2 of the next tier.
    expect(await world.cents()).toEqual([0, 20, 90]);
    const quantities = (await world.purchases()).map(({ quantity }) => formatRational(readRational(quantity), 3));
    expect(quantities).toEqual(['0.5', '2.5', '10']);
  });

  it('waits for every machine that it used, and books what comes after as a difference', async () => {
    const world = await metered();
    const ip = crypto.randomUUID();
    const [a, b] = [`a-${world.region}`, `b-${world.region}`];
    await world.seal(ip, '2026-01-10T09:00:00Z', GB, { runner: a });
    await world.seal(ip, '2026-01-10T09:00:00Z', 2 * GB, { runner: b });
    await world.farm('2026-01-10T10:00:10Z');
    expect(await world.cents()).toEqual([300]);
    await world.seal(ip, '2026-01-10T10:00:00Z', GB, { runner: a });
    await world.farm('2026-01-10T11:00:10Z');
    expect(await world.cents()).toEqual([300]);
    await world.seal(ip, '2026-01-10T10:00:00Z', 3 * GB, { runner: b });
    await world.farm('2026-01-10T11:30:00Z');
    expect(await world.cents()).toEqual([300, 400]);
    await world.seal(ip, '2026-01-10T09:00:00Z', 5 * GB, { runner: b });
    await world.farm('2026-01-10T11:40:00Z');
    expect(await world.cents()).toEqual([300, 400, 300]);
    const last = (await world.purchases()).at(-1);
    expect(last?.fromMs).toBe(at('2026-01-10T09:00:00Z'));
    expect(await world.violations()).toEqual([]);
  });

  it('of a machine that does not come back is charged without it after a week', async () => {
    const world = await metered();
    const ip = crypto.randomUUID();
    await world.seal(ip, '2026-01-10T09:00:00Z', GB, { runner: `a-${world.region}` });
    await world.seal(ip, '2026-01-10T09:00:00Z', GB, { runner: `b-${world.region}` });
    await world.seal(ip, '2026-01-10T10:00:00Z', GB, { runner: `a-${world.region}` });
    await world.farm('2026-01-17T10:30:00Z');
    expect(await world.cents()).toEqual([200]);
    await world.farm('2026-01-17T11:30:00Z');
    expect(await world.cents()).toEqual([200, 100]);
  });

  /** So many hours in a row of a gigabyte each, sealed. */
  async function sealHours(world: BillingWorld, resourceId: string, from: string, hours: number): Promise<void> {
    await world.ctx.db.run(sql`
      INSERT INTO meter_windows (region, project_id, resource_type, resource_id, meter, start_ms, runner_id, value, coverage, sealed_at_ms)
      WITH RECURSIVE hour (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM hour WHERE n < ${hours - 1})
      SELECT ${world.region}, ${world.projectId}, 'floating_ip', ${resourceId}, 'floating_ip.egress.bytes', ${at(from)} + n * ${HOUR},
        ${`r-${world.region}`}, 1000000000, 10000, ${world.nowMs} FROM hour`);
    await world.ctx.db.batch([world.sealedThrough(at(from) + hours * HOUR)]);
  }

  it('for longer than one batch holds is booked in one round, hour by hour', async () => {
    const world = await metered();
    const ip = crypto.randomUUID();
    await sealHours(world, ip, '2026-01-10T09:00:00Z', 500);
    world.nowMs = at('2026-01-31T06:00:00Z');
    expect(await farmRound(world.ctx)).toEqual({ subscriptions: 1, purchases: 500 });
    const booked = await world.purchases();
    expect(booked.map(({ revision }) => revision)).toEqual(Array.from({ length: 500 }, (_, n) => n + 1));
    expect(new Set(booked.map(({ quantity }) => quantity))).toEqual(new Set(['1/1']));
    expect(await farmRound(world.ctx)).toEqual({ subscriptions: 0, purchases: 0 });
    expect(await world.violations()).toEqual([]);
  });

  it('stays due while there is more of it than a round takes, and its invoice waits for all of it', async () => {
    const world = await metered();
    await sealHours(world, crypto.randomUUID(), '2026-01-10T09:00:00Z', 40);
    world.nowMs = at('2026-02-10T00:00:00Z');
    const final = () =>
      world.ctx.db.all(
        sql`SELECT total_micros FROM billing_invoices WHERE region = ${world.region} AND status = 'final'`,
      );
    // The first moment that it is looked at is its begin, when there is nothing of it.
    for (const [round, purchases] of [14, 15, 11].entries()) {
      expect(await farmRound(world.ctx, { leases: 1, visits: 15 })).toEqual({ subscriptions: 1, purchases });
      expect((await final()).length).toBe(round < 2 ? 0 : 1);
    }
    expect(await world.violations()).toEqual([]);
  });

  it('beyond what is counted exactly is not rated, and says so', async () => {
    const world = await metered();
    const ip = crypto.randomUUID();
    for (const runner of ['a', 'b'])
      await world.seal(ip, '2026-01-10T09:00:00Z', 2 ** 52 + 1, { runner: `${runner}-${ip}` });
    await world.farm('2026-01-10T11:00:10Z');
    expect(await world.purchases()).toEqual([]);
    const [row] = await world.ctx.db.all<{ fault: string }>(
      sql`SELECT fault FROM billing_subscriptions WHERE resource_id = ${ip}`,
    );
    expect(row?.fault).toMatch(/beyond what is kept/);
  });

  it('is found by its resource, however many others are metered', async () => {
    const { ctx } = new BillingWorld('2026-01-10T08:30:00Z');
    const plan = await ctx.db.all<{ detail: string }>(
      sql`EXPLAIN QUERY PLAN SELECT 1 FROM billing_subscriptions other WHERE other.resource_id = 'r' AND other.product_id = 'p'
        AND (other.end_ms IS NULL OR other.end_ms > 5)`,
    );
    expect(plan.map(({ detail }) => detail)).toEqual([expect.stringContaining('(resource_id=? AND product_id=?)')]);
  });
});

describe('farmers', () => {
  /** A few resources with all that can happen to them in two days. */
  async function busy(): Promise<BillingWorld> {
    const world = new BillingWorld('2026-01-30T08:30:00Z');
    await world.product({ interval: 'daily', prepaid: true });
    await world.product({
      item_type: 'm2',
      price: world.price({ model: 'per_unit', unit_price: '0.37', weights: { stopped: '0.25' } }),
    });
    for (const itemType of ['m1', 'm2', 'm2']) {
      const vm = await world.open('2026-01-30T09:13:07Z', {
        itemType,
        resourceId: `${itemType}-${crypto.randomUUID()}`,
      });
      await world.change(vm, '2026-01-30T17:21:33Z', { state: 'stopped' });
      await world.change(vm, '2026-01-31T05:00:00Z', { state: 'active' });
      await world.change(vm, '2026-02-01T07:08:09Z', null);
    }
    return world;
  }
  /** Without what differs from world to world. */
  const plain = async (world: BillingWorld) =>
    (await world.purchases()).map(({ resource, ...row }) => ({ ...row, resource: resource.slice(0, 2) }));
  const END = '2026-02-02T00:00:00Z';

  it('write the same rows in time, a week late, and two at once', async () => {
    const [timely, late, raced] = [await busy(), await busy(), await busy()];
    for (let ms = at('2026-01-30T09:00:00Z'); ms <= at(END); ms += 47 * 60_000) await timely.farm(ms);
    await timely.farm(END);
    await late.farm('2026-02-09T00:00:00Z');
    raced.nowMs = at(END);
    for (let round = 0; round < 12; round += 1) {
      await Promise.all([1, 2, 3].map(() => farmRound(raced.ctx, { leases: 2, visits: 7 })));
    }
    await raced.farm(END);
    const expected = await plain(late);
    expect(expected.length).toBeGreaterThan(40);
    expect(await plain(timely)).toEqual(expected);
    expect(await plain(raced)).toEqual(expected);
    for (const world of [timely, late, raced]) expect(await world.violations()).toEqual([]);
  });

  it('lose nothing of what happens between their reading and their writing', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const vm = await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-10T09:30:00Z');
    world.nowMs = at('2026-01-10T10:00:10Z');
    let read = false;
    const db = new Proxy(world.ctx.db, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (name !== 'batch') return typeof member === 'function' ? member.bind(target) : member;
        return async (statements: never) => {
          const result = await target.batch(statements);
          // The first batch of the round is what the subscription is rated by.
          if (!read) await world.change(vm, '2026-01-10T09:40:00Z', null);
          read = true;
          return result;
        };
      },
    });
    await farmRound({ ...world.ctx, db });
    await world.farm('2026-01-10T12:00:00Z');
    expect((await world.cents()).reduce((a, b) => a + b, 0)).toBeCloseTo(6.6667, 9);
  });

  it('who book the same at once book it once, and the other is told', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    await world.open('2026-01-10T09:00:00Z');
    world.nowMs = at('2026-01-10T10:00:10Z');
    const raw = await world.ctx.db.all<Record<string, unknown>>(
      sql`SELECT * FROM billing_subscriptions WHERE region = ${world.region}`,
    );
    const [one] = await readRows(
      world.ctx.db,
      raw.map((row) => rowOf<SubscriptionRow>(row)),
    );
    if (!one) throw new Error('nothing is subscribed');
    const plan = planVisits(one.rateable, knownAt(one, world.nowMs), 100);
    const ends = await Promise.allSettled([1, 2, 3].map(() => bookVisits(world.ctx, one, plan)));
    expect(ends.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected', 'rejected']);
    for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject({ assertion: UNCHANGED });
    expect(await world.cents()).toEqual([10]);
    expect(await world.violations()).toEqual([]);
  });

  it('who stop at any batch leave what the next one ends in the same rows', async () => {
    const whole = await busy();
    await whole.farm(END);
    const expected = await plain(whole);
    const world = await busy();
    world.nowMs = at(END);
    let crashes = 0;
    // Each run ends at its k-th batch: before it is sent, or after it was committed and before anybody knew.
    for (let run = 0; run < 120; run += 1) {
      const { ctx, crashed } = crashing(world, { k: 1 + (run % 8), committed: run % 2 === 0 });
      await farmRound(ctx, { leases: 1, visits: 4 }).catch(() => {});
      if (crashed()) crashes += 1;
      expect(await world.violations()).toEqual([]);
      world.nowMs += 61_000;
    }
    expect(crashes).toBeGreaterThan(60);
    await world.farm(world.nowMs);
    expect(await plain(world)).toEqual(expected);
    expect(await world.violations()).toEqual([]);
  });

  /** A context whose database is gone for good from its k-th batch on. */
  function crashing(world: BillingWorld, { k, committed }: { k: number; committed: boolean }) {
    let calls = 0;
    let dead = false;
    const stop = () => {
      dead = true;
      throw new Error('crash');
    };
    const db = new Proxy(world.ctx.db, {
      get(target, name) {
        const member = Reflect.get(target, name) as unknown;
        if (dead) stop();
        if (name !== 'batch') return typeof member === 'function' ? member.bind(target) : member;
        return async (statements: never) => {
          calls += 1;
          if (calls === k && !committed) stop();
          const result = await target.batch(statements);
          if (calls === k) stop();
          return result;
        };
      },
    });
    return { ctx: { ...world.ctx, db, log: { info: () => {}, error: () => {} } }, crashed: () => dead };
  }
});
