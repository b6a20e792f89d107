import { sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';
import { expireVouchers } from '../accounts/expire-vouchers.ts';
import { tellPurchases } from '../accounts/tell-purchases.ts';
import { watchAccounts } from '../accounts/watch-accounts.ts';
import { watchBudgets } from '../accounts/watch-budgets.ts';
import { advanceInvoices } from '../invoices/advance-invoices.ts';
import { type Farmed, farmSubscriptions } from './farm-subscriptions.ts';
import { reconcileSubscriptions } from './reconcile-subscriptions.ts';

/**
 * One round of a region's billing: opens what has no subscription, charges what is due, and follows what that means for
 * accounts and invoices. Its work is bounded; what is left is due in the next. Each step can fail, be repeated or run
 * twice at once.
 */
export async function farmRound(ctx: Context, limits?: { leases: number; visits: number }): Promise<Farmed> {
  await reconcileSubscriptions(ctx);
  const farmed = await farmSubscriptions(ctx, limits);
  await tellPurchases(ctx);
  await expireVouchers(ctx);
  await watchAccounts(ctx);
  await watchBudgets(ctx);
  await advanceInvoices(ctx);
  await ctx.db.run(
    sql`DELETE FROM billing_holds WHERE region = ${ctx.region} AND expires_at_ms <= ${ctx.clock.nowMs()}`,
  );
  return farmed;
}
