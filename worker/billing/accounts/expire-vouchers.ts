import { type SQL, sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { breakage } from '../ledger/names.ts';
import { DAY_MS, HOUR_MS } from '../rating/calendar.ts';
import { SETTLE_MS } from '../rating/plan-visits.ts';

/** Vouchers that one round ends; more wait for the next. */
const EXPIRED_MAX = 200;

/** How long what is behind is waited for: as long as machines, and what cannot be rated, are. */
const LATE_MAX_MS = 8 * DAY_MS;
const [HOUR, DAY] = [HOUR_MS, DAY_MS].map((ms) => sql.raw(String(ms))) as [SQL, SQL];

/** Whether a subscription is still to be rated at a moment before the voucher's end: its machine is away, or it has a fault. */
const late = (
  nowMs: number,
): SQL => sql`(subscription.due_ms IS NOT NULL AND (subscription.kind = 'volume' OR subscription.fault IS NOT NULL)
  AND voucher.expires_at_ms > ${nowMs - LATE_MAX_MS} AND voucher.expires_at_ms >= CASE product.interval
    WHEN 'hourly' THEN (subscription.visited_ms / ${HOUR} + 1) * ${HOUR} WHEN 'daily' THEN (subscription.visited_ms / ${DAY} + 1) * ${DAY}
    ELSE unixepoch(subscription.visited_ms / 1000, 'unixepoch', 'start of month', '+1 month') * 1000 END)`;

/** Takes back what is left of vouchers whose time is over, once all that they could still have paid is booked. */
export async function expireVouchers(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const over = sql`SELECT voucher.id FROM billing_vouchers voucher
    WHERE voucher.region = ${ctx.region} AND voucher.expired_at_ms IS NULL AND voucher.expires_at_ms <= ${now}
      AND NOT EXISTS (SELECT 1 FROM billing_account_projects link JOIN billing_subscriptions subscription
        ON subscription.region = link.region AND subscription.project_id = link.project_id
        JOIN billing_products product ON product.id = subscription.product_id
        WHERE link.account_id = voucher.account_id AND (subscription.due_ms <= voucher.expires_at_ms + ${SETTLE_MS} OR ${late(now)}))
    ORDER BY voucher.expires_at_ms LIMIT ${EXPIRED_MAX}`;
  await runBatch(ctx.db, [
    ctx.db.run(sql`INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, description, at_ms)
      SELECT ${ctx.region}, 'expiry:' || voucher.id, 'rest', 'expiry', balance.ledger_account, ${breakage(ctx.region)}, balance.currency, balance.balance_micros, 'The voucher has expired.', ${now}
      FROM billing_vouchers voucher JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
      WHERE voucher.id IN (${over}) AND balance.balance_micros > 0`),
    ctx.db.run(sql`UPDATE billing_vouchers SET expired_at_ms = ${now} WHERE id IN (${over})`),
  ]);
}
