import { type SQL, sql } from 'drizzle-orm';
import type { EventTypeName } from '../../../shared/event-types.ts';
import { commitAll } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { available } from '../accounts/available.ts';
import { projectOf, tell, timeOf } from '../events.ts';
import { deleteAt, deletionDue, resumptionDue, suspensionDue, warningDue } from './accounts-due.ts';
import { belongings } from './belongings.ts';

/** Accounts that one round takes a step with; more wait for the next. */
const STEPPED_MAX = 200;

/** Suspends accounts, resumes them, and tells what will be deleted and what is: each once, in the batch that makes it so. */
export async function stepAccounts(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const nothingLeft = sql`${deletionDue(ctx.region, now)} AND NOT EXISTS (SELECT 1 FROM (${belongings(ctx)}) own WHERE own.account_id = account.id)`;
  await step(
    ctx,
    'billing.account.resumed',
    resumptionDue(ctx.region, now),
    sql`suspended_at_ms = NULL, deletion_told_at_ms = NULL, emptied_at_ms = NULL`,
  );
  await step(ctx, 'billing.account.suspended', suspensionDue(now), sql`suspended_at_ms = ${now}`);
  await step(ctx, 'billing.account.deletion_due', warningDue(now), sql`deletion_told_at_ms = ${now}`);
  await step(ctx, 'billing.account.emptied', nothingLeft, sql`emptied_at_ms = ${now}`);
}

async function step(ctx: Context, type: EventTypeName, due: SQL, set: SQL): Promise<void> {
  const ids = sql`SELECT account.id FROM billing_accounts account WHERE account.region = ${ctx.region} AND ${due} ORDER BY account.id LIMIT ${STEPPED_MAX}`;
  const changed = await ctx.db.all<{ id: string }>(ids);
  if (changed.length === 0) return;
  const which = sql`account.id IN (SELECT value FROM json_each(${JSON.stringify(changed.map(({ id }) => id))})) AND ${due}`;
  // Changed first: the event tells when things are deleted now. Who was changed by another meanwhile is told of by that one.
  await commitAll(ctx, [
    tell(
      ctx,
      type,
      sql`SELECT ${projectOf(sql`account.id`)} AS project_id, account.id AS resource_id,
      json_object('account_id', account.id, 'currency', account.currency, 'available_micros', ${available('account', ctx.clock.nowMs())},
        'delete_at', ${timeOf(told(ctx, type))}) AS data FROM billing_accounts account WHERE ${which}`,
    ),
    ctx.db.run(sql`UPDATE billing_accounts AS account SET ${set} WHERE ${which}`),
  ]);
}

/** When everything is deleted, as it is once the step is taken. */
function told(ctx: Context, type: EventTypeName): SQL {
  if (type === 'billing.account.resumed') return sql`NULL`;
  const now = ctx.clock.nowMs();
  return sql`(SELECT ${deleteAt} FROM (SELECT coalesce(account.suspended_at_ms, ${now}) AS suspended_at_ms, account.delete_after_days,
    CASE WHEN ${type} = 'billing.account.deletion_due' THEN ${now} ELSE account.deletion_told_at_ms END AS deletion_told_at_ms) account)`;
}
