import { type SQL, sql } from 'drizzle-orm';

/** Purchases of an invoice that may still change: `purchase` is what they are called. */
const purchasesOf = (invoiceId: string): SQL => sql`billing_invoices invoice JOIN billing_purchases purchase
  ON purchase.account_id = invoice.account_id AND purchase.invoice_month_ms = invoice.month_ms AND purchase.currency = invoice.currency
  WHERE invoice.id = ${invoiceId}`;

/** A detail by what tells it apart within its invoice, in the order that it is read by. */
export interface DetailKey {
  subscriptionId: string;
  priceId: string;
  periodMs: number;
}
export const FIRST_DETAIL: DetailKey = { subscriptionId: '', priceId: '', periodMs: 0 };

/**
 * What an invoice has of each subscription, price and month, after one of them: a query of (project_id, subscription_id,
 * price_id, period_ms, from_ms, through_ms, quantity_total, quantity_before).
 */
export function usedOf(invoiceId: string, after: DetailKey, countMax: number): SQL {
  return sql`
    SELECT line.project_id, line.subscription_id, line.price_id, line.period_ms, line.from_ms, line.through_ms, ${quantities} FROM (
      SELECT purchase.project_id, purchase.subscription_id, purchase.price_id, purchase.period_ms, min(purchase.from_ms) AS from_ms,
        max(purchase.through_ms) AS through_ms, min(purchase.revision) AS first_revision, max(purchase.revision) AS last_revision
      FROM ${purchasesOf(invoiceId)} AND purchase.subscription_id >= ${after.subscriptionId}
        AND (purchase.subscription_id, purchase.price_id, purchase.period_ms) > (${after.subscriptionId}, ${after.priceId}, ${after.periodMs})
      GROUP BY purchase.subscription_id, purchase.price_id, purchase.period_ms
      ORDER BY purchase.subscription_id, purchase.price_id, purchase.period_ms LIMIT ${countMax}
    ) line`;
}

const LINE = sql.raw(
  'subscription_id = line.subscription_id AND price_id = line.price_id AND period_ms = line.period_ms',
);
const quantities = sql`
  (SELECT quantity_total FROM billing_purchases WHERE ${LINE} AND revision = line.last_revision) AS quantity_total,
  coalesce((SELECT quantity_total FROM billing_purchases WHERE ${LINE} AND revision = line.first_revision - 1), '0/1') AS quantity_before`;

/**
 * The details of an invoice as its purchases make them, those of a line together: a query with the columns of
 * `billing_invoice_details`.
 */
export function detailsOf(invoiceId: string): SQL {
  const line = sql`line.project_id, product.item, product.name, line.period_ms, line.price_id`;
  return sql`
    SELECT line.invoice_id, row_number() OVER (ORDER BY ${line}, subscription.resource_name, subscription.resource_id, line.subscription_id) AS position,
      dense_rank() OVER (ORDER BY ${line}) AS line,
      line.subscription_id, line.price_id, line.project_id, line.period_ms, line.from_ms, line.through_ms,
      subscription.resource_id, subscription.resource_name, ${quantities}, line.amount_micros
    FROM (
      SELECT invoice.id AS invoice_id, purchase.subscription_id, purchase.price_id, purchase.period_ms, purchase.project_id, purchase.product_id,
        min(purchase.from_ms) AS from_ms, max(purchase.through_ms) AS through_ms, sum(purchase.amount_micros) AS amount_micros,
        min(purchase.revision) AS first_revision, max(purchase.revision) AS last_revision
      FROM ${purchasesOf(invoiceId)}
      GROUP BY purchase.subscription_id, purchase.price_id, purchase.period_ms
    ) line
    JOIN billing_products product ON product.id = line.product_id
    JOIN billing_subscriptions subscription ON subscription.id = line.subscription_id`;
}
