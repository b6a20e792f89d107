import { eq } from 'drizzle-orm';
import { billingAccounts } from '../../../db/schema/billing.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { type AccountPatch, markOf } from '../bodies.ts';
import { type AccountRow, scopeAccount } from '../scope.ts';

/** What is said in one currency means nothing in another. @throws ApiError 400 */
function requireMarks(row: AccountRow, change: AccountPatch): void {
  const kept =
    (row.creditLimitMicros !== null && change.credit_limit === undefined) ||
    (row.lowMicros !== null && change.low_balance === undefined);
  if (kept) throw badRequest('With another currency say credit_limit and low_balance anew, in it.');
}

/** Changes how an account pays and what it may owe. What is not said stays. @throws ApiError 400, 404 */
export async function updateAccount(ctx: ActorContext, id: string, change: AccountPatch): Promise<AccountRow> {
  const row = await scopeAccount(ctx, 'billing:accounts:update', id);
  const currency = change.currency ?? row.currency;
  if (currency !== row.currency) requireMarks(row, change);
  const set = {
    currency,
    ...(change.name === undefined ? {} : { name: change.name }),
    ...(change.mode === undefined ? {} : { mode: change.mode }),
    ...(change.credit_limit === undefined ? {} : { creditLimitMicros: markOf(change.credit_limit, currency) }),
    ...(change.low_balance === undefined ? {} : { lowMicros: markOf(change.low_balance, currency) }),
    ...(change.grace_hours === undefined ? {} : { graceHours: change.grace_hours }),
    ...(change.delete_after_days === undefined ? {} : { deleteAfterDays: change.delete_after_days }),
  };
  await commit(ctx, {
    audit: {
      action: 'billing:accounts:update',
      targetType: 'billing-account',
      targetId: row.id,
      detail: { ...change },
    },
    statements: [ctx.db.update(billingAccounts).set(set).where(eq(billingAccounts.id, row.id))],
  });
  return { ...row, ...set };
}
