import { type SQL, sql } from 'drizzle-orm';

/**
 * The lines of an invoice as its purchases make them, in a stable order: a query with the columns of
 * `billing_invoice_lines`. A line whose usage was in an earlier month is what came too late for that month's invoice.
 * @param invoiceId - of one that may still change
 */
export function linesOf(invoiceId: string): SQL {
  const line = sql`subscription_id = line.subscription_id AND price_id = line.price_id AND period_ms = line.period_ms`;
  return sql`
    SELECT line.invoice_id, row_number() OVER (ORDER BY line.project_id, product.item, subscription.resource_name,
        subscription.resource_id, line.period_ms, line.from_ms, line.subscription_id, line.price_id) AS position,
      line.subscription_id, line.price_id, line.project_id, line.period_ms, line.from_ms, line.through_ms,
      product.name AS product, product.item, product.item_type, subscription.resource_id, subscription.resource_name,
      product.order_unit, product.order_size,
      (SELECT quantity_total FROM billing_purchases WHERE ${line} AND revision = line.last_revision) AS quantity_total,
      coalesce((SELECT quantity_total FROM billing_purchases WHERE ${line} AND revision = line.first_revision - 1), '0/1') AS quantity_before,
      line.amount_minor
    FROM (
      SELECT invoice.id AS invoice_id, purchase.subscription_id, purchase.price_id, purchase.period_ms, purchase.project_id, purchase.product_id,
        min(purchase.from_ms) AS from_ms, max(purchase.through_ms) AS through_ms, sum(purchase.amount_minor) AS amount_minor,
        min(purchase.revision) AS first_revision, max(purchase.revision) AS last_revision
      FROM billing_invoices invoice JOIN billing_purchases purchase
        ON purchase.account_id = invoice.account_id AND purchase.invoice_month_ms = invoice.month_ms AND purchase.currency = invoice.currency
      WHERE invoice.id = ${invoiceId}
      GROUP BY purchase.subscription_id, purchase.price_id, purchase.period_ms
    ) line
    JOIN billing_products product ON product.id = line.product_id
    JOIN billing_subscriptions subscription ON subscription.id = line.subscription_id`;
}

/** What an invoice comes to by its purchases. */
export const totalOf = (invoice: SQL): SQL => sql`coalesce((
  SELECT sum(purchase.amount_minor) FROM billing_purchases purchase JOIN billing_invoices billed
    ON purchase.account_id = billed.account_id AND purchase.invoice_month_ms = billed.month_ms AND purchase.currency = billed.currency
  WHERE billed.id = ${invoice}), 0)`;
