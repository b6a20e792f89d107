import { type SQL, sql } from 'drizzle-orm';
import { available } from '../accounts/available.ts';
import { revenue } from '../ledger/names.ts';
import { DAY_MS, HOUR_MS } from '../rating/calendar.ts';

/** How long before everything is deleted it is told, at most: an account that has fewer days is told at once. */
const WARN_DAYS = 3;

/** As literals: numbers that are bound are real ones. */
const [HOUR, DAY] = [HOUR_MS, DAY_MS].map((ms) => sql.raw(String(ms))) as [SQL, SQL];

/**
 * What its stops and deletions have given back to `account` since it was suspended, of what was prepaid. That is no payment: with
 * it a stop would undo itself, and the start the start after it.
 */
const givenBack = (region: string, nowMs: number): SQL => sql`coalesce((
  SELECT sum(back.amount_micros) FROM billing_transfers back
  WHERE back.to_account IN (SELECT 'customer:' || account.id UNION ALL SELECT 'voucher:' || voucher.id FROM billing_vouchers voucher
      WHERE voucher.account_id = account.id AND voucher.expired_at_ms IS NULL AND voucher.expires_at_ms > ${nowMs})
    AND back.kind = 'purchase' AND back.from_account = ${revenue(region)} AND back.currency = account.currency
    AND back.at_ms >= account.suspended_at_ms), 0)`;

/** Whether `account`, which is suspended, has not paid what it owed then. One that may owe without limit has. */
const unpaid = (region: string, nowMs: number): SQL =>
  sql`coalesce(${available('account', nowMs)} - ${givenBack(region, nowMs)} <= 0, 0)`;

/** Whether `account` has nothing left, by its state and by its balance: a payment that came this moment counts. */
const exhausted = (nowMs: number): SQL => sql`account.state = 'exhausted' AND ${available('account', nowMs)} <= 0`;

/** Whether `account` is to be suspended: it has been exhausted for as long as it was given. */
export const suspensionDue = (
  nowMs: number,
): SQL => sql`account.suspended_at_ms IS NULL AND account.grace_hours IS NOT NULL
  AND ${exhausted(nowMs)} AND account.state_since_ms + account.grace_hours * ${HOUR} <= ${nowMs}`;

/** Whether it is suspended no more: it has paid, may owe more, or an operator took the ladder away. */
export const resumptionDue = (region: string, nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND (account.grace_hours IS NULL OR NOT ${unpaid(region, nowMs)})`;

/** When all that `account` has is deleted at the earliest: whatever its days were when it was told, it has so many from then. */
export const deleteAt: SQL = sql`max(account.suspended_at_ms + account.delete_after_days * ${DAY},
  coalesce(account.deletion_told_at_ms + min(${sql.raw(String(WARN_DAYS))}, account.delete_after_days) * ${DAY}, 0))`;

/** Whether it is to be told that everything is deleted soon. */
export const warningDue = (nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND account.deletion_told_at_ms IS NULL AND account.delete_after_days IS NOT NULL
    AND account.suspended_at_ms + (account.delete_after_days - ${sql.raw(String(WARN_DAYS))}) * ${DAY} <= ${nowMs}`;

/** Whether everything that `account` has is to be deleted now. */
export const deletionDue = (region: string, nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND account.deletion_told_at_ms IS NOT NULL AND account.emptied_at_ms IS NULL
    AND account.delete_after_days IS NOT NULL AND ${deleteAt} <= ${nowMs} AND ${unpaid(region, nowMs)}`;
