import { and, desc, eq, lt, or } from 'drizzle-orm';
import type { z } from 'zod';
import { billingTransfers } from '../../../db/schema/billing.ts';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { iso } from '../../http/times.ts';
import { customer } from '../ledger/names.ts';
import type { accountList } from '../lists.ts';
import { scopeAccount } from '../scope.ts';
import type { TransferRow } from './move-money.ts';

/** What moved into an account and out of it, the last first. */
export async function listTransfers(ctx: ActorContext, id: string, of: z.infer<typeof accountList>) {
  const account = await scopeAccount(ctx, 'billing:transfers:list', id);
  const name = customer(account.id);
  const rows = await ctx.db
    .select()
    .from(billingTransfers)
    .where(
      and(
        or(eq(billingTransfers.fromAccount, name), eq(billingTransfers.toAccount, name)),
        of.marker === undefined ? undefined : lt(billingTransfers.id, Number(of.marker) || 0),
      ),
    )
    .orderBy(desc(billingTransfers.id))
    .limit(of.limit);
  return rows.map((row) => transferView(row, name));
}

/** A transfer as its account sees it: what goes out is negative. */
export const transferView = (row: TransferRow, name: string) => ({
  id: String(row.id),
  reference: row.reference,
  kind: row.kind,
  currency: row.currency,
  amount: formatMicros(row.toAccount === name ? row.amountMicros : -row.amountMicros, row.currency),
  description: row.description,
  at: iso(row.atMs),
});
