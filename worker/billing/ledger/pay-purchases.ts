import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import type { OwnedPurchase } from '../farmer/split-refunds.ts';
import { breakage, revenue } from './names.ts';

/** A purchase with the id that its transfers refer to. */
export interface IdentifiedPurchase extends OwnedPurchase {
  id: string;
}

/**
 * Moves the money of purchases that were just inserted: vouchers first, by what ends soonest, then the account's own. What
 * is given back goes the other way round, and never more of it becomes money than was paid in money.
 * @param vouchers - whether the account may have any that are not spent
 */
export function payPurchases(ctx: Context, purchases: readonly IdentifiedPurchase[], vouchers: boolean): Statement[] {
  const paid = purchases.filter((one) => one.amountMicros > 0);
  if (!vouchers) {
    const refunds = purchases.filter((one) => one.amountMicros < 0).flatMap((one) => giveBack(ctx, one));
    return [...(paid.length > 0 ? [fromMoney(ctx, paid)] : []), ...refunds];
  }
  return purchases.flatMap((one) => {
    if (one.amountMicros === 0) return [];
    return one.amountMicros > 0 ? [fromVouchers(ctx, one), fromMoney(ctx, [one])] : giveBack(ctx, one);
  });
}

/** Each voucher that was good then gives what the ones before it have left to pay. */
function fromVouchers(ctx: Context, { id }: IdentifiedPurchase): Statement {
  return ctx.db.run(sql`
    INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
    SELECT ${ctx.region}, id, ledger_account, 'purchase', ledger_account, ${revenue(ctx.region)}, currency,
      min(balance_micros, amount_micros - before), ${ctx.clock.nowMs()}
    FROM (
      SELECT purchase.id, purchase.currency, purchase.amount_micros, balance.ledger_account, balance.balance_micros,
        sum(balance.balance_micros) OVER (ORDER BY voucher.expires_at_ms, voucher.id) - balance.balance_micros AS before
      FROM billing_purchases purchase
      JOIN billing_vouchers voucher ON voucher.account_id = purchase.account_id AND voucher.currency = purchase.currency
      JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
      WHERE purchase.id = ${id} AND voucher.expired_at_ms IS NULL AND voucher.expires_at_ms > purchase.as_of_ms AND balance.balance_micros > 0
    ) WHERE amount_micros > before`);
}

/** What vouchers have not paid. */
function fromMoney(ctx: Context, purchases: readonly IdentifiedPurchase[]): Statement {
  const ids = JSON.stringify(purchases.map(({ id }) => id));
  return ctx.db.run(sql`
    INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
    SELECT ${ctx.region}, id, 'money', 'purchase', 'customer:' || account_id, ${revenue(ctx.region)}, currency, left_micros, ${ctx.clock.nowMs()}
    FROM (
      SELECT purchase.id, purchase.account_id, purchase.currency, purchase.sequence, purchase.amount_micros
        - coalesce((SELECT sum(paid.amount_micros) FROM billing_transfers paid WHERE paid.reference = purchase.id), 0) AS left_micros
      FROM billing_purchases purchase WHERE purchase.id IN (SELECT value FROM json_each(${ids}))
    ) WHERE left_micros > 0 ORDER BY sequence`);
}

/** To the account what the line was paid in money, and the rest to its vouchers, the last one first. */
function giveBack(ctx: Context, { id }: IdentifiedPurchase): Statement[] {
  const line = sql`SELECT other.id FROM billing_purchases other JOIN billing_purchases this
    ON other.subscription_id = this.subscription_id AND other.price_id = this.price_id AND other.period_ms = this.period_ms WHERE this.id = ${id}`;
  const now = ctx.clock.nowMs();
  const money = ctx.db.run(sql`
    INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
    SELECT ${ctx.region}, id, 'money', 'purchase', ${revenue(ctx.region)}, 'customer:' || account_id, currency, back_micros, ${now}
    FROM (
      SELECT purchase.id, purchase.account_id, purchase.currency, min(-purchase.amount_micros, (
        SELECT coalesce(sum(CASE WHEN from_account = ${revenue(ctx.region)} THEN -amount_micros ELSE amount_micros END), 0)
        FROM billing_transfers WHERE leg = 'money' AND reference IN (${line})
          AND 'customer:' || purchase.account_id IN (from_account, to_account))) AS back_micros
      FROM billing_purchases purchase WHERE purchase.id = ${id}
    ) WHERE back_micros > 0`);
  const vouchers = ctx.db.run(sql`
    INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
    SELECT ${ctx.region}, ${id}, account, 'purchase', ${revenue(ctx.region)},
      CASE WHEN expired_at_ms IS NULL THEN account ELSE ${breakage(ctx.region)} END, currency, min(used_micros, back_micros - before), ${now}
    FROM (
      SELECT used.account, used.currency, used.used_micros, voucher.expired_at_ms,
        sum(used.used_micros) OVER (ORDER BY voucher.expires_at_ms DESC, voucher.id DESC) - used.used_micros AS before,
        (SELECT -purchase.amount_micros - coalesce((SELECT sum(amount_micros) FROM billing_transfers WHERE reference = purchase.id), 0)
          FROM billing_purchases purchase WHERE purchase.id = ${id}) AS back_micros
      FROM (
        SELECT leg AS account, currency, sum(CASE WHEN from_account = ${revenue(ctx.region)} THEN -amount_micros ELSE amount_micros END) AS used_micros
        FROM billing_transfers WHERE leg <> 'money' AND reference IN (${line}) GROUP BY leg, currency
      ) used JOIN billing_vouchers voucher ON used.account = 'voucher:' || voucher.id
      JOIN billing_purchases purchase ON purchase.id = ${id} AND purchase.account_id = voucher.account_id
      WHERE used.used_micros > 0
    ) WHERE back_micros > before`);
  return [money, vouchers];
}
