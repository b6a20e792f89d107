import { sql } from 'drizzle-orm';
import { billingPrices } from '../../../db/schema/billing.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { NewPrice } from '../bodies.ts';
import { policy } from '../policy.ts';

export type PriceRow = typeof billingPrices.$inferSelect;

/**
 * Gives a product another price from a moment on. What was used until then costs what it did.
 * @throws ApiError 400 a moment that is past; 404 no such product; 409 it has a price from that moment
 */
export async function createPrice(ctx: ActorContext, productId: string, input: NewPrice): Promise<PriceRow> {
  authorize(ctx, policy, 'billing:prices:create');
  const row = priceRow(ctx, productId, input);
  const { effectiveFromMs, terms } = row;
  try {
    await commit(ctx, {
      audit: {
        action: 'billing:prices:create',
        targetType: 'billing-product',
        targetId: productId,
        detail: { price: row.id, effective_from_ms: effectiveFromMs, terms },
      },
      statements: [
        assertThat(
          ctx.db,
          'product',
          sql`EXISTS (SELECT 1 FROM billing_products WHERE id = ${productId} AND region = ${ctx.region} AND retired_at_ms IS NULL)`,
        ),
        ...priceStatements(ctx, row),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw notFound(`There is no product ${productId}.`);
    if (error instanceof ConstraintFailed)
      throw conflict('The product has a price from that moment. Prices are never changed.');
    throw error;
  }
  return row;
}

/** @throws ApiError 400 for a moment that is past: what was used costs what it did */
export function priceRow(ctx: ActorContext, productId: string, input: NewPrice): PriceRow {
  const now = ctx.clock.nowMs();
  if (input.effective_from <= now)
    throw badRequest('A price begins in the future: what was used already costs what it did.');
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    productId,
    effectiveFromMs: input.effective_from,
    terms: input.terms,
    createdBy: ctx.actor.userId,
    createdAtMs: now,
  };
}

/** Writes a price, and has what runs held against it; what is prepaid looks again when it begins. */
export function priceStatements(ctx: ActorContext, row: PriceRow): Statement[] {
  return [
    ctx.db.insert(billingPrices).values(row),
    ctx.db.run(sql`UPDATE billing_products SET reconciled_at_ms = 0 WHERE id = ${row.productId}`),
    ctx.db.run(sql`UPDATE billing_subscriptions SET due_ms = min(coalesce(due_ms, ${row.effectiveFromMs}), ${row.effectiveFromMs}), revision = revision + 1
      WHERE product_id = ${row.productId} AND end_ms IS NULL AND kind = 'time'`),
  ];
}
