import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import type { ReportQuery } from '../bodies.ts';
import { rowOf } from '../rows.ts';
import { scopeProject } from '../scope.ts';
import type { PurchaseRow } from '../views.ts';

/** Purchases read at once, and for one report at most. */
const PAGE = 10_000;
const PURCHASES_MAX = 200_000;

/** A purchase with what it is of. */
export interface ReportedPurchase extends PurchaseRow {
  sequence: number;
  item: string;
  itemType: string;
  orderUnit: string;
  orderSize: number;
  product: string;
  terms: string;
  resourceId: string;
  resourceName: string;
  startMs: number;
  endMs: number | null;
}

/** Purchases, of a table or a query, with what they are of: to read `PURCHASE_COLUMNS` from. */
export const purchasesOf = (
  source: SQL,
): SQL => sql`${source} purchase JOIN billing_products product ON product.id = purchase.product_id
  JOIN billing_prices price ON price.id = purchase.price_id
  JOIN billing_subscriptions subscription ON subscription.id = purchase.subscription_id`;
/** A `ReportedPurchase`. */
export const PURCHASE_COLUMNS = sql`purchase.*, product.name AS product, product.item, product.item_type, product.order_unit,
  product.order_size, price.terms, subscription.resource_id, subscription.resource_name, subscription.start_ms, subscription.end_ms`;

/**
 * The purchases of a project whose service began in a time: reports go by when something was used, not by when it was booked.
 * @throws ApiError 400 more than one report takes
 */
export async function purchasesBetween(ctx: ActorContext, of: ReportQuery): Promise<ReportedPurchase[]> {
  const projectId = scopeProject(ctx, 'billing:reports:show', of.project_id);
  const { item = null, resource_id: resource = null } = of;
  const rows: ReportedPurchase[] = [];
  for (let after = 0; ; ) {
    const page = await ctx.db.all<Record<string, unknown>>(sql`
      SELECT ${PURCHASE_COLUMNS} FROM ${purchasesOf(sql`billing_purchases`)}
      WHERE purchase.project_id = ${projectId} AND purchase.region = ${ctx.region} AND purchase.from_ms >= ${of.from} AND purchase.from_ms < ${of.to}
        AND purchase.sequence > ${after} AND (${item} IS NULL OR product.item = ${item}) AND (${resource} IS NULL OR subscription.resource_id = ${resource})
      ORDER BY purchase.sequence LIMIT ${PAGE}`);
    rows.push(...page.map((raw) => rowOf<ReportedPurchase>(raw)));
    if (page.length < PAGE) return rows;
    if (rows.length >= PURCHASES_MAX)
      throw badRequest('There is more than one report takes: ask for less time, or one item.');
    after = rows.at(-1)?.sequence ?? 0;
  }
}
