import { and, asc, eq, sql } from 'drizzle-orm';
import { billingBudgets } from '../../../db/schema/billing.ts';
import { formatMicros } from '../../../shared/money.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import { iso } from '../../http/times.ts';
import { microsOf, type NewBudget } from '../bodies.ts';
import { scopeAccount } from '../scope.ts';

/** Budgets that an account can have. */
const BUDGETS_MAX = 20;

export type BudgetRow = typeof billingBudgets.$inferSelect;

/** Says what an account means to spend in a month. @throws ApiError 400, 404; 409 the name is taken, or there are too many */
export async function createBudget(ctx: ActorContext, id: string, input: NewBudget): Promise<BudgetRow> {
  const account = await scopeAccount(ctx, 'billing:budgets:create', id);
  const { name, currency, thresholds } = input;
  const row: BudgetRow = {
    id: ctx.ids.uuid(),
    region: ctx.region,
    accountId: account.id,
    name,
    currency,
    amountMicros: microsOf(input.amount, currency),
    thresholds,
    createdAtMs: ctx.clock.nowMs(),
  };
  const room = sql`(SELECT count(*) FROM billing_budgets WHERE account_id = ${account.id}) < ${BUDGETS_MAX}`;
  try {
    await commit(ctx, {
      audit: { action: 'billing:budgets:create', targetType: 'billing-budget', targetId: row.id, detail: { ...input } },
      statements: [assertThat(ctx.db, 'room', room), ctx.db.insert(billingBudgets).values(row)],
    });
  } catch (error) {
    if (error instanceof AssertionFailed)
      throw conflict(`The account has ${BUDGETS_MAX} budgets, the most it can have.`);
    if (error instanceof ConstraintFailed) throw conflict(`The account has a budget named ${name}.`);
    throw error;
  }
  return row;
}

/** The budgets of an account, by name. */
export async function listBudgets(ctx: ActorContext, id: string): Promise<BudgetRow[]> {
  const account = await scopeAccount(ctx, 'billing:budgets:list', id);
  return ctx.db
    .select()
    .from(billingBudgets)
    .where(eq(billingBudgets.accountId, account.id))
    .orderBy(asc(billingBudgets.name));
}

/** @throws ApiError 404 */
export async function deleteBudget(ctx: ActorContext, id: string, budgetId: string): Promise<void> {
  const account = await scopeAccount(ctx, 'billing:budgets:delete', id);
  const there = and(eq(billingBudgets.id, budgetId), eq(billingBudgets.accountId, account.id));
  const [deleted] = await commit(ctx, {
    audit: { action: 'billing:budgets:delete', targetType: 'billing-budget', targetId: budgetId },
    statements: [ctx.db.delete(billingBudgets).where(there)],
  });
  if ((deleted as { rowsAffected: number }).rowsAffected === 0) throw notFound(`There is no budget ${budgetId}.`);
}

export const budgetView = (row: BudgetRow) => ({
  id: row.id,
  name: row.name,
  currency: row.currency,
  amount: formatMicros(row.amountMicros, row.currency),
  thresholds: row.thresholds,
  created_at: iso(row.createdAtMs),
});
