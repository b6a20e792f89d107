import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_TYPES, type EventTypeName } from '../../../shared/event-types.ts';
import { at, BillingWorld, HOUR } from '../../../test/billing/billing-world.ts';
import { billNaively } from '../../../test/billing/naive-biller.ts';
import { farmRound } from '../farmer/farm-round.ts';
import { readRows, type SubscriptionRow } from '../farmer/read-rateables.ts';
import { chargedThrough } from '../rating/rate-line.ts';
import { rowOf } from '../rows.ts';
import { listDetails } from './list-details.ts';
import { listInvoices } from './list-invoices.ts';
import { rerateInvoice } from './rerate-invoice.ts';
import { showInvoice } from './show-invoice.ts';

const invoices = (world: BillingWorld) => listInvoices(world.ctx, { limit: 100 });
const told = async (world: BillingWorld) =>
  (
    await world.ctx.db.all<{ type: EventTypeName; data: string }>(
      sql`SELECT type, data FROM events WHERE region = ${world.region} AND type <> 'billing.purchase.created' ORDER BY sequence`,
    )
  ).map(({ type, data }) => (EVENT_TYPES[type].data.parse(JSON.parse(data)) ? type : null));

describe('an invoice', () => {
  it('is open in its month, a draft in its grace, then final; and says so once', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const vm = await world.open('2026-01-31T20:00:00Z');
    await world.farm('2026-01-31T23:30:00Z');
    expect(await invoices(world)).toMatchObject([{ month: '2026-01', status: 'open', total: '0.30', number: null }]);
    await world.change(vm, '2026-02-01T01:30:00Z', null);
    await world.farm('2026-02-01T03:00:00Z');
    expect(await invoices(world)).toMatchObject([
      { month: '2026-02', status: 'open', total: '0.15' },
      { month: '2026-01', status: 'draft', total: '0.40' },
    ]);
    await world.farm('2026-02-03T23:00:00Z');
    expect((await invoices(world))[1]?.status).toBe('draft');
    await world.farm('2026-02-04T00:00:00Z');
    await world.farm('2026-02-04T01:00:00Z');
    const [, january] = await invoices(world);
    expect(january).toMatchObject({ status: 'final', number: 1, total: '0.40' });
    const { lines } = await showInvoice(world.ctx, january?.id ?? '');
    expect(lines).toMatchObject([
      { amount: '0.40', quantity: '4', resources: 1, adjustment: false, order_unit: 'hours' },
    ]);
    const details = await listDetails(world.ctx, january?.id ?? '', { limit: 10, marker: 0, line: 1 });
    expect(details).toMatchObject([{ resource_id: vm, booked: '0.40', quantity: '4', adjustment: false }]);
    expect(await told(world)).toEqual(['billing.invoice.drafted', 'billing.invoice.finalized']);
    await world.farm('2026-03-10T00:00:00Z');
    expect((await invoices(world)).map(({ number }) => number)).toEqual([2, 1]);
    expect(await world.violations()).toEqual([]);
  });

  it('takes what comes late in its grace; after that it is on the next, as an adjustment', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({
      item: 'floating_ip.egress.bytes',
      item_type: 'default',
      order_unit: 'GB',
      price: world.price({ model: 'per_unit', unit_price: '1' }),
    });
    const ip = crypto.randomUUID();
    await world.seal(ip, '2026-01-31T22:00:00Z', 2e9);
    await world.farm('2026-02-01T01:00:00Z');
    await world.seal(ip, '2026-01-31T22:00:00Z', 3e9);
    await world.farm('2026-02-02T00:00:00Z');
    await world.farm('2026-02-05T00:00:00Z');
    expect(await invoices(world)).toMatchObject([{ month: '2026-01', status: 'final', total: '3.00' }]);
    await world.seal(ip, '2026-01-31T22:00:00Z', 3.5e9);
    await world.seal(ip, '2026-02-05T00:00:00Z', 1e9);
    await world.farm('2026-02-05T02:00:00Z');
    const [february, january] = await invoices(world);
    expect(january).toMatchObject({ total: '3.00', status: 'final' });
    expect(february).toMatchObject({ month: '2026-02', total: '1.50', status: 'open' });
    const { lines } = await showInvoice(world.ctx, february?.id ?? '');
    expect(lines.map(({ amount, quantity, adjustment }) => [amount, quantity, adjustment])).toEqual([
      ['0.50', '0.5', true],
      ['1.00', '1', false],
    ]);
    await world.farm('2026-03-05T00:00:00Z');
    expect((await invoices(world)).map(({ number, total }) => [number, total])).toEqual([
      [2, '1.50'],
      [1, '3.00'],
    ]);
    expect(await world.violations()).toEqual([]);
  });

  it('waits for a farmer that was away, and for the months before it', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ interval: 'daily' });
    await world.open('2026-01-30T00:00:00Z');
    world.nowMs = at('2026-03-20T00:00:10Z');
    // One day of it a round: nothing may be final that is not whole.
    for (let round = 0; round < 5; round += 1) {
      await farmRound(world.ctx, { leases: 1, visits: 1 });
      for (const { month, status, total } of await invoices(world))
        if (month === '2026-01') expect([status, total]).toEqual(round < 2 ? ['draft', '2.40'] : ['final', '4.80']);
    }
    await world.farm('2026-03-20T00:00:10Z');
    expect((await invoices(world)).map(({ month, number, status, total }) => [month, number, status, total])).toEqual([
      ['2026-03', null, 'open', '45.60'],
      ['2026-02', 2, 'final', '67.20'],
      ['2026-01', 1, 'final', '4.80'],
    ]);
  });

  it('waits a week more for what cannot be rated, and takes it later as an adjustment', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    const [bad, good] = [await world.open('2026-01-31T20:00:00Z'), await world.open('2026-01-31T20:00:00Z')];
    for (const vm of [bad, good]) await world.change(vm, '2026-01-31T22:00:00Z', null);
    const quantity = (of: number) =>
      world.ctx.db.run(sql`UPDATE usage_spans SET quantity = ${of} WHERE resource_id = ${bad}`);
    await quantity(2 ** 53);
    const quiet = { ...world.ctx, log: { info: () => {}, error: () => {} } };
    for (const [when, status] of [
      ['2026-02-01T00:00:00Z', 'draft'],
      ['2026-02-10T23:00:00Z', 'draft'],
      ['2026-02-11T00:00:00Z', 'final'],
    ] as const) {
      await world.farm(when, quiet);
      expect((await invoices(world)).at(-1), when).toMatchObject({ status, total: '0.20' });
    }
    await quantity(1);
    await world.farm('2026-02-12T00:00:00Z');
    expect(await invoices(world)).toMatchObject([{ month: '2026-02', total: '0.20' }, { total: '0.20' }]);
    expect(await world.violations()).toEqual([]);
  });

  it('rounds what a project used of a price once, and what comes late to the same whole', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product({ price: world.price({ model: 'per_unit', unit_price: '0.035' }) });
    // Eight minutes of one are 0.004667: nothing, if each were rounded by itself.
    const lives = Array.from({ length: 10 }, () => world.open('2026-01-31T20:00:00Z'));
    for (const vm of await Promise.all(lives)) await world.change(vm, '2026-01-31T20:08:00Z', null);
    await world.farm('2026-02-10T00:00:00Z');
    const [january] = await invoices(world);
    expect(january).toMatchObject({ status: 'final', total: '0.05' });
    const { lines } = await showInvoice(world.ctx, january?.id ?? '');
    expect(lines).toMatchObject([{ resources: 10, quantity: '1.333333333', booked: '0.04667', amount: '0.05' }]);
    // What was rounded up has moved, too: the account owes what the invoice says.
    expect(await world.balance(`customer:${world.accountId}`)).toBe(-5);
    expect(await world.balance(`rounding:${world.region}`)).toBeCloseTo(0.333, 9);
    // One more that comes late: 0.051337 in all, of which 0.05 is paid.
    await world.open('2026-01-31T20:00:00Z', { endMs: at('2026-01-31T20:08:00Z') });
    await world.farm('2026-02-11T00:00:00Z');
    await world.farm('2026-03-10T00:00:00Z');
    const [february] = await invoices(world);
    expect(february).toMatchObject({ month: '2026-02', status: 'final', total: '0.00' });
    expect((await showInvoice(world.ctx, february?.id ?? '')).lines).toMatchObject([
      { adjustment: true, resources: 1, booked: '0.004667', amount: '0.00' },
    ]);
    expect(await world.balance(`customer:${world.accountId}`)).toBe(-5);
    expect(await world.violations()).toEqual([]);
  });

  it('that is final is changed by nobody', async () => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    await world.product();
    await world.open('2026-01-31T20:00:00Z');
    await world.farm('2026-02-10T00:00:00Z');
    const id = (await invoices(world)).at(-1)?.id;
    const refused = async (query: ReturnType<typeof sql>) => {
      const error = await world.ctx.db.run(query).then(
        () => null,
        (failure: Error & { cause?: unknown }) => `${failure.message} ${String(failure.cause)}`,
      );
      expect(error, JSON.stringify(query)).toMatch(/is final|never/);
    };
    await refused(sql`UPDATE billing_invoices SET total_micros = 0 WHERE id = ${id}`);
    await refused(sql`DELETE FROM billing_invoices WHERE id = ${id}`);
    await refused(sql`UPDATE billing_invoice_lines SET amount_micros = 0 WHERE invoice_id = ${id}`);
    await refused(sql`DELETE FROM billing_invoice_lines WHERE invoice_id = ${id}`);
    await refused(sql`INSERT INTO billing_invoice_lines SELECT invoice_id, 99, project_id, price_id, period_ms, from_ms, through_ms, product, item, item_type,
      order_unit, order_size, details, quantity, booked_micros, amount_micros FROM billing_invoice_lines WHERE invoice_id = ${id} LIMIT 1`);
    await refused(sql`UPDATE billing_invoice_details SET amount_micros = 0 WHERE invoice_id = ${id}`);
    await refused(sql`DELETE FROM billing_invoice_details WHERE invoice_id = ${id}`);
    await refused(sql`INSERT INTO billing_invoice_details SELECT invoice_id, 99, line, subscription_id, price_id, project_id, period_ms, from_ms, through_ms,
      resource_id, resource_name, quantity_total, quantity_before, amount_micros FROM billing_invoice_details WHERE invoice_id = ${id} LIMIT 1`);
    await refused(sql`UPDATE billing_purchases SET amount_micros = 0 WHERE region = ${world.region}`);
    await refused(sql`DELETE FROM billing_purchases WHERE region = ${world.region}`);
    await refused(sql`UPDATE billing_prices SET terms = '{}' WHERE region = ${world.region}`);
    await refused(sql`DELETE FROM billing_prices WHERE region = ${world.region}`);
    await refused(sql`UPDATE billing_transfers SET amount_micros = 1 WHERE region = ${world.region}`);
    await refused(sql`DELETE FROM billing_transfers WHERE region = ${world.region}`);
    await refused(sql`INSERT INTO billing_purchases SELECT 1000000000 + sequence, id || 'x', region, account_id, project_id, subscription_id, product_id, price_id, period_ms, 999,
      from_ms, through_ms, as_of_ms, quantity, quantity_total, currency, amount_micros, amount_total_micros, invoice_month_ms, at_ms
      FROM billing_purchases WHERE region = ${world.region} AND invoice_month_ms = ${at('2026-01-01T00:00:00Z')} LIMIT 1`);
  });
});

describe('three months of many lives', () => {
  /** Something that happens to a resource, some hours after what happened before. */
  const happening = fc.record({
    afterS: fc.integer({ min: 600, max: 400 * 3600 }),
    what: fc.constantFrom('stop', 'start', 'shelve', 'resize', 'reprice', 'farm', 'farm', 'delete', 'create'),
    which: fc.nat({ max: 5 }),
    cents: fc.integer({ min: 1, max: 400 }),
  });
  interface Story {
    prepaid: boolean;
    interval: string;
    happenings: { afterS: number; what: string; which: number; cents: number }[];
  }
  const story: fc.Arbitrary<Story> = fc.record({
    prepaid: fc.boolean(),
    interval: fc.constantFrom('hourly', 'daily', 'monthly'),
    happenings: fc.array(happening, { minLength: 6, maxLength: 14 }),
  });

  it('come to what a biller finds that counts every second, and every invoice rates to itself', async () => {
    await fc.assert(
      fc.asyncProperty(story, async (of) => {
        const world = await live(of);
        await world.farm('2026-04-06T00:00:00Z');
        expect(await world.violations()).toEqual([]);
        await expectNaive(world);
        for (const { id } of await invoices(world)) {
          expect((await rerateInvoice(world.ctx, id)).differing).toEqual([]);
        }
      }),
      { numRuns: 4, endOnFailure: true },
    );
  });

  async function live(of: Story) {
    const world = new BillingWorld('2026-01-02T08:30:00Z');
    const offer = { prepaid: of.prepaid, interval: of.interval };
    const weights = { stopped: '0.5', shelved: '0' };
    const products = [
      await world.product({ ...offer, price: world.price({ model: 'per_unit', unit_price: '0.013', weights }) }),
      await world.product({
        ...offer,
        item_type: 'm2',
        price: world.price({
          model: 'graduated',
          included: '10',
          weights,
          tiers: [
            { up_to: '100', unit_price: '0.031' },
            { up_to: null, unit_price: '0.017', flat: '1' },
          ],
        }),
      }),
    ];
    const alive = [await world.open('2026-01-02T10:11:12Z')];
    let now = at('2026-01-02T11:00:00Z');
    for (const { afterS, what, which, cents } of of.happenings) {
      now += afterS * 1000;
      if (now > at('2026-03-30T00:00:00Z')) break;
      world.nowMs = now;
      const vm = alive[which % Math.max(1, alive.length)];
      if (what === 'farm') await world.farm(now);
      else if (what === 'create') alive.push(await world.open(now, { itemType: which % 2 === 0 ? 'm1' : 'm2' }));
      else if (what === 'reprice') {
        const from = new Date((Math.floor(now / HOUR) + 1 + which) * HOUR).toISOString();
        const terms = { model: 'per_unit', unit_price: (cents / 1000).toFixed(3), weights, minimum: '0.5' };
        await world.reprice(products[which % 2] ?? '', terms, from).catch((error: Error) => {
          if (!/has a price/.test(error.message)) throw error;
        });
      } else if (vm) {
        const to = {
          stop: { state: 'stopped' },
          start: { state: 'active' },
          shelve: { state: 'shelved' },
          resize: { itemType: which % 2 === 0 ? 'm2' : 'm1' },
        }[what];
        await world.change(vm, now, to ?? null);
        if (!to) alive.splice(alive.indexOf(vm), 1);
      }
    }
    return world;
  }

  async function expectNaive(world: BillingWorld) {
    const raw = await world.ctx.db.all<Record<string, unknown>>(
      sql`SELECT * FROM billing_subscriptions WHERE region = ${world.region}`,
    );
    const reads = await readRows(
      world.ctx.db,
      raw.map((row) => rowOf<SubscriptionRow>(row)),
      0,
    );
    for (const { row, rateable } of reads) {
      const expected = billNaively(rateable, chargedThrough(rateable, row.visitedMs), row.visitedMs);
      const booked = rateable.booked.filter(({ amountTotalMicros }) => amountTotalMicros !== 0);
      const plain = (list: { priceId: string; periodMs: number; micros: bigint }[]) =>
        list
          .filter(({ micros }) => micros !== 0n)
          .map(({ priceId, periodMs, micros }) => `${periodMs} ${priceId} ${micros}`)
          .sort();
      expect(plain(booked.map((line) => ({ ...line, micros: BigInt(line.amountTotalMicros) })))).toEqual(
        plain(expected),
      );
    }
  }
});
