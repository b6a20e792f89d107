import { and, asc, eq, gt } from 'drizzle-orm';
import type { z } from 'zod';
import { billingSubscriptions } from '../../../db/schema/billing.ts';
import type { ActorContext } from '../../http/context.ts';
import type { SubscriptionRow } from '../farmer/read-rateables.ts';
import type { subscriptionList } from '../lists.ts';
import { scopeProjects } from '../scope.ts';

/** What is subscribed of a project, ended or not, by id. */
export function listSubscriptions(ctx: ActorContext, of: z.infer<typeof subscriptionList>): Promise<SubscriptionRow[]> {
  const projectId = scopeProjects(ctx, 'billing:subscriptions:list', of.project_id);
  return ctx.db
    .select()
    .from(billingSubscriptions)
    .where(
      and(
        eq(billingSubscriptions.region, ctx.region),
        projectId === null ? undefined : eq(billingSubscriptions.projectId, projectId),
        of.resource_id === undefined ? undefined : eq(billingSubscriptions.resourceId, of.resource_id),
        of.marker === undefined ? undefined : gt(billingSubscriptions.id, of.marker),
      ),
    )
    .orderBy(asc(billingSubscriptions.id))
    .limit(of.limit);
}
