import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';

/** Takes a product off sale: what is subscribed of it is charged up to now, and not after. @throws ApiError 404 */
export async function retireProduct(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'billing:products:retire');
  const now = ctx.clock.nowMs();
  const there = sql`id = ${id} AND region = ${ctx.region} AND retired_at_ms IS NULL`;
  try {
    await commit(ctx, {
      audit: { action: 'billing:products:retire', targetType: 'billing-product', targetId: id },
      statements: [
        assertThat(ctx.db, 'product', sql`EXISTS (SELECT 1 FROM billing_products WHERE ${there})`),
        ctx.db.run(sql`UPDATE billing_products SET retired_at_ms = ${now} WHERE ${there}`),
        ctx.db.run(sql`UPDATE billing_subscriptions SET end_ms = max(${now}, start_ms), due_ms = ${now}, revision = revision + 1,
            dirty_from_ms = CASE WHEN visited_ms >= ${now} THEN ${now} ELSE dirty_from_ms END
          WHERE product_id = ${id} AND end_ms IS NULL`),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw notFound(`There is no product ${id}.`);
    throw error;
  }
}
