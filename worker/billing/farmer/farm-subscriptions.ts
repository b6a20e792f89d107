import { sql } from 'drizzle-orm';
import { AssertionFailed, ConstraintFailed } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { planVisits } from '../rating/plan-visits.ts';
import { rowOf } from '../rows.ts';
import { bookVisits } from './book-visits.ts';
import { knownAt, type Read, readRows, type SubscriptionRow } from './read-rateables.ts';

/** How long a subscription is one farmer's; should that one die, another takes it then. */
const LEASE_MS = 60_000;
/** Subscriptions leased at once, moments booked of one at once, and leases taken in one round. */
const LEASED_MAX = 40;
/** Batches under way at once: the database commits them together. */
const BOOKED_AT_ONCE = 6;
const VISITS_MAX = 200;
const LEASES_MAX = 25;
/** When one that could not be rated is tried again. */
const FAULT_RETRY_MS = 10 * 60_000;

export interface Farmed {
  /** Subscriptions that were looked at, and purchases that came of it. */
  subscriptions: number;
  purchases: number;
}

/**
 * Charges what is due: leases subscriptions, reads all that each is rated by, and books each in a batch of its own. A lease
 * only saves work: what keeps a second farmer from booking twice is that a subscription must be as it was read.
 */
export async function farmSubscriptions(
  ctx: Context,
  limits = { leases: LEASES_MAX, visits: VISITS_MAX },
): Promise<Farmed> {
  const farmed = { subscriptions: 0, purchases: 0 };
  for (let lease = 0; lease < limits.leases; lease += 1) {
    const rows = await leaseDue(ctx);
    const reads = await readEach(ctx, rows);
    for (let at = 0; at < reads.length; at += BOOKED_AT_ONCE) {
      const booked = reads.slice(at, at + BOOKED_AT_ONCE).map((read) => farmOne(ctx, read, limits.visits));
      // All of them end before the round does, whatever one of them came to.
      for (const one of await Promise.allSettled(booked)) {
        if (one.status === 'rejected') throw one.reason;
        farmed.purchases += one.value;
      }
    }
    farmed.subscriptions += rows.length;
    if (rows.length < LEASED_MAX) break;
  }
  return farmed;
}

async function leaseDue(ctx: Context): Promise<SubscriptionRow[]> {
  const now = ctx.clock.nowMs();
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    UPDATE billing_subscriptions SET lease_until_ms = ${now + LEASE_MS} WHERE id IN (
      SELECT id FROM billing_subscriptions WHERE region = ${ctx.region} AND due_ms <= ${now} AND lease_until_ms <= ${now} ORDER BY due_ms LIMIT ${LEASED_MAX})
    RETURNING *`);
  return rows.map((row) => rowOf<SubscriptionRow>(row));
}

/** Reads all at once, or, where something of one cannot be read, each by itself. */
async function readEach(ctx: Context, rows: SubscriptionRow[]): Promise<Read[]> {
  try {
    return await readRows(ctx.db, rows);
  } catch {
    const reads: Read[] = [];
    for (const row of rows) {
      try {
        reads.push(...(await readRows(ctx.db, [row])));
      } catch (error) {
        await setAside(ctx, row, error);
      }
    }
    return reads;
  }
}

/** @returns how many purchases were booked */
async function farmOne(ctx: Context, read: Read, visitsMax: number): Promise<number> {
  try {
    const plan = planVisits(read.rateable, knownAt(read, ctx.clock.nowMs()), visitsMax);
    await bookVisits(ctx, read, plan);
    return plan.purchases.length;
  } catch (error) {
    // Another farmer was there, or the resource changed: what is due then is found by the next who looks.
    if (error instanceof AssertionFailed || error instanceof ConstraintFailed) return giveUp(ctx, read);
    await setAside(ctx, read.row, error);
    return 0;
  }
}

async function giveUp(ctx: Context, { row }: Read): Promise<number> {
  await ctx.db.run(sql`UPDATE billing_subscriptions SET lease_until_ms = 0 WHERE id = ${row.id}`);
  return 0;
}

/** One that cannot be rated must not keep the others from it. */
async function setAside(ctx: Context, row: SubscriptionRow, error: unknown): Promise<void> {
  ctx.log.error('billing-subscription-failed', { subscription: row.id, error: String(error) });
  const retryMs = ctx.clock.nowMs() + FAULT_RETRY_MS;
  await ctx.db.run(sql`
    UPDATE billing_subscriptions SET fault = ${String(error).slice(0, 500)}, due_ms = ${retryMs}, lease_until_ms = 0
    WHERE id = ${row.id} AND revision = ${row.revision}`);
}
