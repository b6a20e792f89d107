import { and, eq, isNull, sql } from 'drizzle-orm';
import { billingProducts, billingSubscriptions } from '../../../db/schema/billing.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { NewSubscription } from '../bodies.ts';
import type { SubscriptionRow } from '../farmer/read-rateables.ts';
import { policy } from '../policy.ts';
import { ceilHour } from '../rating/calendar.ts';

/**
 * Subscribes a resource to a product from now on; from the next full hour where it is metered, since windows are of whole
 * hours. Once: who asks again is given what is there.
 * @throws ApiError 400 no such project; 404 no such product
 */
export async function subscribe(ctx: ActorContext, input: NewSubscription): Promise<SubscriptionRow> {
  authorize(ctx, policy, 'billing:subscriptions:create');
  const [product] = await ctx.db
    .select()
    .from(billingProducts)
    .where(
      and(
        eq(billingProducts.id, input.product_id),
        eq(billingProducts.region, ctx.region),
        isNull(billingProducts.retiredAtMs),
      ),
    );
  if (!product) throw notFound(`There is no product ${input.product_id}.`);
  const now = ctx.clock.nowMs();
  const startMs = product.kind === 'volume' ? ceilHour(now) : now;
  const id = ctx.ids.hex();
  const row = {
    id,
    region: ctx.region,
    projectId: input.project_id,
    productId: product.id,
    kind: product.kind,
    resourceType: product.item,
    resourceId: input.resource_id,
    resourceName: input.resource_name,
    itemType: product.itemType,
    quantity: input.quantity,
    openedBy: 'call' as const,
    startMs,
    visitedMs: startMs - 1,
    chargedThroughMs: startMs,
    dueMs: startMs,
  };
  const project = sql`EXISTS (SELECT 1 FROM projects WHERE id = ${input.project_id})`;
  const audit = { action: 'billing:subscriptions:create', targetType: 'billing-subscription', targetId: id };
  try {
    await commit(ctx, {
      audit: { ...audit, detail: { ...input } },
      statements: [assertThat(ctx.db, 'project', project), ctx.db.insert(billingSubscriptions).values(row)],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw badRequest(`There is no project ${input.project_id}.`);
    if (!(error instanceof ConstraintFailed)) throw error;
  }
  return openOf(ctx, input);
}

async function openOf(ctx: ActorContext, { product_id, resource_id }: NewSubscription): Promise<SubscriptionRow> {
  const [row] = await ctx.db
    .select()
    .from(billingSubscriptions)
    .where(
      and(
        eq(billingSubscriptions.productId, product_id),
        eq(billingSubscriptions.resourceId, resource_id),
        isNull(billingSubscriptions.endMs),
      ),
    );
  if (!row) throw notFound(`The subscription of ${resource_id} has ended meanwhile.`);
  return row;
}
