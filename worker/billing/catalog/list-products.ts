import { and, asc, eq, inArray, isNull } from 'drizzle-orm';
import { billingPrices, billingProducts } from '../../../db/schema/billing.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import type { PriceRow } from './create-price.ts';
import type { ProductRow } from './create-product.ts';

/** Products of a region; its catalog is of flavors and meters, so it is listed whole. */
const PRODUCTS_MAX = 2_000;

export interface Priced {
  product: ProductRow;
  prices: PriceRow[];
}

/** What is on sale, with all its prices, the first one first. */
export async function listProducts(
  ctx: ActorContext,
  of: { item?: string | undefined; item_type?: string | undefined },
): Promise<Priced[]> {
  authorize(ctx, policy, 'billing:products:list');
  const { item, item_type } = of;
  const chosen = and(
    eq(billingProducts.region, ctx.region),
    isNull(billingProducts.retiredAtMs),
    item === undefined ? undefined : eq(billingProducts.item, item),
    item_type === undefined ? undefined : eq(billingProducts.itemType, item_type),
  );
  const [products, prices] = await ctx.db.batch([
    ctx.db.select().from(billingProducts).where(chosen).orderBy(asc(billingProducts.name)).limit(PRODUCTS_MAX),
    ctx.db
      .select()
      .from(billingPrices)
      .where(
        inArray(billingPrices.productId, ctx.db.select({ id: billingProducts.id }).from(billingProducts).where(chosen)),
      )
      .orderBy(asc(billingPrices.effectiveFromMs)),
  ]);
  return products.map((product) => ({ product, prices: prices.filter((price) => price.productId === product.id) }));
}

/** @throws ApiError 404; one that is off sale is shown still: invoices name it */
export async function showProduct(ctx: ActorContext, id: string): Promise<Priced> {
  authorize(ctx, policy, 'billing:products:show');
  const [[product], prices] = await ctx.db.batch([
    ctx.db
      .select()
      .from(billingProducts)
      .where(and(eq(billingProducts.id, id), eq(billingProducts.region, ctx.region))),
    ctx.db
      .select()
      .from(billingPrices)
      .where(eq(billingPrices.productId, id))
      .orderBy(asc(billingPrices.effectiveFromMs)),
  ]);
  if (!product) throw notFound(`There is no product ${id}.`);
  return { product, prices };
}
