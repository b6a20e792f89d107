import { type SQL, sql } from 'drizzle-orm';

/** What vouchers of an account are still good for, in a currency. */
export const voucherMoney = (accountId: SQL, currency: SQL, nowMs: number): SQL => sql`coalesce((
  SELECT sum(balance.balance_micros) FROM billing_vouchers voucher
  JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
  WHERE voucher.account_id = ${accountId} AND voucher.currency = ${currency} AND voucher.expired_at_ms IS NULL AND voucher.expires_at_ms > ${nowMs}), 0)`;

/** What an account holds; below zero, what it owes. */
export const ownMoney = (accountId: SQL, currency: SQL): SQL => sql`coalesce((
  SELECT balance_micros FROM billing_balances WHERE ledger_account = 'customer:' || ${accountId} AND currency = ${currency}), 0)`;

/** What creates have claimed that no purchase has taken yet. */
const held = (accountId: SQL, currency: SQL, nowMs: number, but: SQL): SQL => sql`coalesce((
  SELECT sum(amount_micros) FROM billing_holds WHERE account_id = ${accountId} AND currency = ${currency} AND expires_at_ms > ${nowMs} AND NOT (${but})), 0)`;

/** What an account may still spend, credit included; null where it may owe without limit. `account` is a row of accounts. */
export const available = (account: string, nowMs: number): SQL => {
  const id = sql.raw(`${account}.id`);
  const currency = sql.raw(`${account}.currency`);
  return sql`(${ownMoney(id, currency)} + ${voucherMoney(id, currency, nowMs)} + ${limitOf(account)})`;
};

/** The same less what is claimed, `but` for some: what another may claim. */
export const unclaimed = (account: string, nowMs: number, but: SQL): SQL =>
  sql`(${available(account, nowMs)} - ${held(sql.raw(`${account}.id`), sql.raw(`${account}.currency`), nowMs, but)})`;

/** A prepaid account may owe nothing unless it was given credit. */
const limitOf = (account: string): SQL =>
  sql.raw(
    `CASE WHEN ${account}.mode = 'prepaid' THEN coalesce(${account}.credit_limit_micros, 0) ELSE ${account}.credit_limit_micros END`,
  );
