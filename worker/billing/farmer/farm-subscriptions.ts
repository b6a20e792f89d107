import { sql } from 'drizzle-orm';
import { AssertionFailed, ConstraintFailed } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { planVisits } from '../rating/plan-visits.ts';
import { rowOf } from '../rows.ts';
import { bookVisits } from './book-visits.ts';
import { goOn, knownAt, type Read, readRows, type SubscriptionRow } from './read-rateables.ts';

/** How long a subscription is one farmer's; should that one die, another takes it then. */
const LEASE_MS = 60_000;
/** Subscriptions leased at once, leases taken in one round, and moments of one that a round books. */
const LEASED_MAX = 20;
const LEASES_MAX = 50;
const VISITS_MAX = 1_000;
/** Moments booked in one batch: it must not keep others waiting for the database. */
const VISITS_PER_BATCH = 200;
/** Leases under way at once: while the database writes for one, another is rated, and they commit together. */
const LANES = 4;
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
  let leases = 0;
  const lane = async () => {
    for (let more = true; more && leases < limits.leases; ) {
      leases += 1;
      const rows = await leaseDue(ctx);
      for (const read of await readEach(ctx, rows)) {
        const purchases = await farmOne(ctx, read, limits.visits);
        farmed.purchases += purchases;
      }
      farmed.subscriptions += rows.length;
      more = rows.length === LEASED_MAX;
    }
  };
  // All of them end before the round does, whatever one of them came to.
  for (const end of await Promise.allSettled(Array.from({ length: LANES }, lane)))
    if (end.status === 'rejected') throw end.reason;
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
async function farmOne(ctx: Context, first: Read, visitsMax: number): Promise<number> {
  let [read, booked] = [first, 0];
  try {
    for (let visits = 0; ; visits += VISITS_PER_BATCH) {
      const now = ctx.clock.nowMs();
      const plan = planVisits(read.rateable, knownAt(read, now), Math.min(VISITS_PER_BATCH, visitsMax - visits));
      const more = plan.dueMs !== null && plan.dueMs <= now && visits + VISITS_PER_BATCH < visitsMax;
      const purchases = await bookVisits(ctx, read, plan, more ? now + LEASE_MS : 0);
      booked += purchases.length;
      if (!more) break;
      read = goOn(read, plan, purchases);
    }
  } catch (error) {
    // Another farmer was there, or the resource changed: what is due then is found by the next who looks.
    if (error instanceof AssertionFailed || error instanceof ConstraintFailed) await giveUp(ctx, read);
    else await setAside(ctx, read.row, error);
  }
  return booked;
}

async function giveUp(ctx: Context, { row }: Read): Promise<void> {
  await ctx.db.run(sql`UPDATE billing_subscriptions SET lease_until_ms = 0 WHERE id = ${row.id}`);
}

/** One that cannot be rated must not keep the others from it. */
async function setAside(ctx: Context, row: SubscriptionRow, error: unknown): Promise<void> {
  ctx.log.error('billing-subscription-failed', { subscription: row.id, error: String(error) });
  const retryMs = ctx.clock.nowMs() + FAULT_RETRY_MS;
  await ctx.db.run(sql`
    UPDATE billing_subscriptions SET fault = ${String(error).slice(0, 500)}, due_ms = ${retryMs}, lease_until_ms = 0
    WHERE id = ${row.id} AND revision = ${row.revision}`);
}
