import { type SQL, sql } from 'drizzle-orm';
import { available } from '../accounts/available.ts';
import { DAY_MS, HOUR_MS } from '../rating/calendar.ts';

/** How long before everything is deleted it is told, at most: an account that has fewer days is told at once. */
const WARN_DAYS = 3;

/** As literals: numbers that are bound are real ones. */
const [HOUR, DAY] = [HOUR_MS, DAY_MS].map((ms) => sql.raw(String(ms))) as [SQL, SQL];

/** Whether `account` has nothing left, by its state and by its balance: a payment that came this moment counts. */
const exhausted = (nowMs: number): SQL => sql`account.state = 'exhausted' AND ${available('account', nowMs)} <= 0`;

/** Whether `account` is to be suspended: it has been exhausted for as long as it was given. */
export const suspensionDue = (
  nowMs: number,
): SQL => sql`account.suspended_at_ms IS NULL AND account.grace_hours IS NOT NULL
  AND ${exhausted(nowMs)} AND account.state_since_ms + account.grace_hours * ${HOUR} <= ${nowMs}`;

/** Whether it is suspended no more: it has something again, or an operator took the ladder away. */
export const resumptionDue = (nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND (account.grace_hours IS NULL OR NOT (${exhausted(nowMs)}))`;

/** When all that `account` has is deleted at the earliest: whatever its days were when it was told, it has so many from then. */
export const deleteAt: SQL = sql`max(account.suspended_at_ms + account.delete_after_days * ${DAY},
  coalesce(account.deletion_told_at_ms + min(${sql.raw(String(WARN_DAYS))}, account.delete_after_days) * ${DAY}, 0))`;

/** Whether it is to be told that everything is deleted soon. */
export const warningDue = (nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND account.deletion_told_at_ms IS NULL AND account.delete_after_days IS NOT NULL
    AND account.suspended_at_ms + (account.delete_after_days - ${sql.raw(String(WARN_DAYS))}) * ${DAY} <= ${nowMs}`;

/** Whether everything that `account` has is to be deleted now. */
export const deletionDue = (nowMs: number): SQL =>
  sql`account.suspended_at_ms IS NOT NULL AND account.deletion_told_at_ms IS NOT NULL AND account.emptied_at_ms IS NULL
    AND account.delete_after_days IS NOT NULL AND ${deleteAt} <= ${nowMs} AND ${exhausted(nowMs)}`;
