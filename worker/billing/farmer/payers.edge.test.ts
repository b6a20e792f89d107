import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { at, BillingWorld } from '../../../test/billing/billing-world.ts';
import { runBatch } from '../../http/commit.ts';
import { createVoucher } from '../accounts/create-voucher.ts';
import { ensureAccount } from '../accounts/default-account.ts';
import { planVisits } from '../rating/plan-visits.ts';
import { rowOf } from '../rows.ts';
import { bookVisits } from './book-visits.ts';
import { farmSubscriptions } from './farm-subscriptions.ts';
import { knownAt, readRows, type SubscriptionRow } from './read-rateables.ts';

/** Has another account pay for the project from now on. */
async function relink(world: BillingWorld): Promise<string> {
  const other = `${world.region}.other`;
  await runBatch(world.ctx.db, ensureAccount(world.ctx, 'other'));
  await world.ctx.db.run(
    sql`UPDATE billing_account_projects SET account_id = ${other} WHERE project_id = ${world.projectId} AND region = ${world.region}`,
  );
  return other;
}

it('what is given back of a line that two accounts paid is given back to both', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  const tiers = [
    { up_to: '10', unit_price: '1' },
    { up_to: null, unit_price: '0.10' },
  ];
  await world.product({ price: world.price({ model: 'volume', tiers }) });
  await world.open('2026-01-10T09:00:00Z');
  await world.farm('2026-01-10T15:00:10Z');
  const other = await relink(world);
  await world.farm('2026-01-10T19:00:10Z');
  // The eleventh hour: all of them come to 1.10, of which 10.00 are paid.
  await world.farm('2026-01-10T20:00:10Z');
  expect(await world.balance(`customer:${world.accountId}`)).toBe(-110);
  expect(await world.balance(`customer:${other}`)).toBe(0);
  expect(await world.violations()).toEqual([]);
});

it('a farmer who is late gives back to the same accounts as one who came in time', async () => {
  const balances = async (late: boolean) => {
    const world = new BillingWorld('2026-01-10T08:30:00Z');
    const price = world.price({ model: 'per_unit', unit_price: '1', weights: { shelved: '0' } });
    await world.product({ prepaid: true, interval: 'daily', price });
    const vm = await world.open('2026-01-10T12:00:00Z');
    await world.farm('2026-01-10T12:01:00Z');
    const other = await relink(world);
    for (const [hour, state] of ['shelved', 'active', 'shelved'].entries()) {
      const when = at('2026-01-10T13:00:00Z') + hour * 3_600_000;
      await world.change(vm, when, { state });
      if (!late) await world.farm(when + 10_000);
    }
    await world.farm('2026-01-10T16:00:00Z');
    expect(await world.violations()).toEqual([]);
    return [await world.balance(`customer:${world.accountId}`), await world.balance(`customer:${other}`)];
  };
  const inTime = await balances(false);
  expect(inTime).toEqual([-100, -100]);
  expect(await balances(true)).toEqual(inTime);
});

it('what was read before the project had another account is not booked', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  await world.product();
  await world.open('2026-01-10T09:00:00Z');
  await runBatch(world.ctx.db, ensureAccount(world.ctx, world.projectId));
  world.nowMs = at('2026-01-10T10:00:10Z');
  const [raw] = await world.ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_subscriptions WHERE region = ${world.region}`,
  );
  const [read] = await readRows(world.ctx.db, [rowOf<SubscriptionRow>(raw ?? {})]);
  if (!read) throw new Error('nothing is subscribed');
  const other = await relink(world);
  await createVoucher(world.ctx, other, {
    ...{ amount: '10.00', currency: 'EUR', expires_at: at('2026-12-10T12:00:00Z'), reason: 'x', reference: 'v' },
  });
  const plan = planVisits(read.rateable, knownAt(read, world.nowMs), 200);
  await expect(bookVisits(world.ctx, read, plan)).rejects.toMatchObject({ assertion: 'billing-account-unchanged' });
  await farmSubscriptions(world.ctx);
  expect([await world.balance(`customer:${other}`), await world.balance(`voucher:${other}.v`)]).toEqual([0, 990]);
  expect(await world.violations()).toEqual([]);
});
