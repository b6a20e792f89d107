import { and, asc, eq, gt } from 'drizzle-orm';
import type { z } from 'zod';
import { billingAccounts } from '../../../db/schema/billing.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import type { accountList } from '../lists.ts';
import { policy } from '../policy.ts';
import type { AccountRow } from '../scope.ts';

/** The accounts of a region, by id. */
export function listAccounts(ctx: ActorContext, of: z.infer<typeof accountList>): Promise<AccountRow[]> {
  authorize(ctx, policy, 'billing:accounts:list');
  return ctx.db
    .select()
    .from(billingAccounts)
    .where(
      and(
        eq(billingAccounts.region, ctx.region),
        of.marker === undefined ? undefined : gt(billingAccounts.id, of.marker),
      ),
    )
    .orderBy(asc(billingAccounts.id))
    .limit(of.limit);
}
