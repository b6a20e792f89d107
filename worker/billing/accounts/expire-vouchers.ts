import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { breakage } from '../ledger/names.ts';
import { SETTLE_MS } from '../rating/plan-visits.ts';

/** Vouchers that one round ends; more wait for the next. */
const EXPIRED_MAX = 200;

/** Takes back what is left of vouchers whose time is over, once all that they could still have paid is booked. */
export async function expireVouchers(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const over = sql`SELECT voucher.id FROM billing_vouchers voucher
    WHERE voucher.region = ${ctx.region} AND voucher.expired_at_ms IS NULL AND voucher.expires_at_ms <= ${now}
      AND NOT EXISTS (SELECT 1 FROM billing_account_projects link JOIN billing_subscriptions subscription
        ON subscription.region = link.region AND subscription.project_id = link.project_id
        WHERE link.account_id = voucher.account_id AND subscription.due_ms <= voucher.expires_at_ms + ${SETTLE_MS})
    ORDER BY voucher.expires_at_ms LIMIT ${EXPIRED_MAX}`;
  await runBatch(ctx.db, [
    ctx.db.run(sql`INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, description, at_ms)
      SELECT ${ctx.region}, 'expiry:' || voucher.id, 'rest', 'expiry', balance.ledger_account, ${breakage(ctx.region)}, balance.currency, balance.balance_micros, 'The voucher has expired.', ${now}
      FROM billing_vouchers voucher JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
      WHERE voucher.id IN (${over}) AND balance.balance_micros > 0`),
    ctx.db.run(sql`UPDATE billing_vouchers SET expired_at_ms = ${now} WHERE id IN (${over})`),
  ]);
}
