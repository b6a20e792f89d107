import { billingProducts } from '../../../db/schema/billing.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { NewProduct } from '../bodies.ts';
import { policy } from '../policy.ts';
import { isMeter } from '../rating/units.ts';
import { type PriceRow, priceRow, priceStatements } from './create-price.ts';

export type ProductRow = typeof billingProducts.$inferSelect;

/**
 * Puts something up for sale, with its first price where that is given.
 * @throws ApiError 400 a price that begins in the past; 409 the item is sold already, or the name is taken
 */
export async function createProduct(
  ctx: ActorContext,
  input: NewProduct,
): Promise<{ product: ProductRow; prices: PriceRow[] }> {
  authorize(ctx, policy, 'billing:products:create');
  const product = rowOf(ctx, input);
  const prices = input.price ? [priceRow(ctx, product.id, input.price)] : [];
  try {
    await commit(ctx, {
      audit: {
        action: 'billing:products:create',
        targetType: 'billing-product',
        targetId: product.id,
        detail: { ...input },
      },
      statements: [
        ctx.db.insert(billingProducts).values(product),
        ...prices.flatMap((price) => priceStatements(ctx, price)),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed)
      throw conflict(
        `There is a product named ${input.name}, or one that charges each ${input.item} of type ${input.item_type} already: retire it first.`,
      );
    throw error;
  }
  return { product, prices };
}

function rowOf(ctx: ActorContext, input: NewProduct): ProductRow {
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    name: input.name,
    item: input.item,
    itemType: input.item_type,
    kind: isMeter(input.item) ? 'volume' : 'time',
    orderUnit: input.order_unit,
    orderSize: input.order_size,
    quantityPer: input.quantity_per,
    interval: input.interval,
    prepaid: input.prepaid,
    currency: input.currency,
    automatic: input.automatic,
    createdAtMs: ctx.clock.nowMs(),
    retiredAtMs: null,
    reconciledAtMs: 0,
  };
}
