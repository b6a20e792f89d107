import { sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';
import { expireVouchers } from '../accounts/expire-vouchers.ts';
import { tellPurchases } from '../accounts/tell-purchases.ts';
import { watchAccounts } from '../accounts/watch-accounts.ts';
import { watchBudgets } from '../accounts/watch-budgets.ts';
import { draftInvoices } from '../invoices/draft-invoices.ts';
import { finalizeInvoices } from '../invoices/finalize-invoices.ts';
import { type Farmed, farmSubscriptions } from './farm-subscriptions.ts';
import { reconcileSubscriptions } from './reconcile-subscriptions.ts';

/**
 * One round of a region's billing: opens what has no subscription, charges what is due, and follows what that means for
 * accounts and invoices. Its work is bounded; what is left is due in the next. Each step can fail, be repeated or run
 * twice at once.
 */
export async function farmRound(ctx: Context, limits?: { leases: number; visits: number }): Promise<Farmed> {
  const failed: unknown[] = [];
  // Each apart: what fails of one keeps nobody from being charged, or told.
  const step = async <T>(work: () => Promise<T>): Promise<T | null> =>
    work().catch((error: unknown) => {
      failed.push(error);
      return null;
    });
  await step(() => reconcileSubscriptions(ctx));
  const farmed = (await step(() => farmSubscriptions(ctx, limits))) ?? { subscriptions: 0, purchases: 0 };
  const after = [tellPurchases, expireVouchers, watchAccounts, watchBudgets, draftInvoices, finalizeInvoices, endHolds];
  for (const work of after) await step(() => work(ctx));
  if (failed.length > 0) throw failed[0];
  return farmed;
}

async function endHolds(ctx: Context): Promise<void> {
  await ctx.db.run(
    sql`DELETE FROM billing_holds WHERE region = ${ctx.region} AND expires_at_ms <= ${ctx.clock.nowMs()}`,
  );
}
