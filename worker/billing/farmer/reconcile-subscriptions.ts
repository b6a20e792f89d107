import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { HOUR_MS } from '../rating/calendar.ts';

/** Between two looks at a product whose price has not changed: what triggers do at once, this finds again. */
const EVERY_MS = HOUR_MS;
/** Products looked at in one round, and subscriptions opened for one at once; more wait for the next. */
const PRODUCTS_MAX = 20;
const OPENED_MAX = 1_000;

/**
 * Opens what runs and has a price but no subscription, from the moment that it had both, and closes what is over. A product
 * that is priced later picks up what runs already.
 */
export async function reconcileSubscriptions(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const due = await ctx.db.all<{ id: string; kind: string; firstMs: number }>(sql`
    SELECT product.id, product.kind, min(price.effective_from_ms) AS "firstMs" FROM billing_products product
    JOIN billing_prices price ON price.product_id = product.id
    WHERE product.region = ${ctx.region} AND product.automatic = 1 AND product.retired_at_ms IS NULL AND product.reconciled_at_ms <= ${now - EVERY_MS}
    GROUP BY product.id HAVING "firstMs" <= ${now} ORDER BY product.reconciled_at_ms LIMIT ${PRODUCTS_MAX}`);
  for (const product of due) {
    const open = product.kind === 'time' ? openBySpans : openByWindows;
    const [opened] = await runBatch(ctx.db, [open(ctx, product), closeEnded(ctx, product.id)]);
    // A full batch: there may be more.
    if ((opened as { rowsAffected: number }).rowsAffected < OPENED_MAX) await reconciled(ctx, product.id);
  }
}

function openBySpans(ctx: Context, { id, firstMs }: { id: string; firstMs: number }) {
  const start = sql`max(min(span.start_ms), ${firstMs})`;
  return ctx.db.run(sql`
    INSERT INTO billing_subscriptions (id, region, project_id, product_id, kind, resource_type, resource_id, resource_name,
      item_type, opened_by, start_ms, end_ms, visited_ms, charged_through_ms, due_ms)
    SELECT lower(hex(randomblob(16))), span.region, span.project_id, product.id, 'time', span.resource_type, span.resource_id,
      max(span.resource_name), span.item_type, 'span', ${start}, CASE WHEN max(span.end_ms IS NULL) THEN NULL ELSE max(span.end_ms) END,
      ${start} - 1, ${start}, ${start}
    FROM billing_products product JOIN usage_spans span
      ON span.region = product.region AND span.resource_type = product.item AND span.item_type = product.item_type
    WHERE product.id = ${id} AND (span.end_ms IS NULL OR span.end_ms > max(${firstMs}, product.reconciled_at_ms))
      AND NOT EXISTS (SELECT 1 FROM billing_subscriptions other WHERE other.resource_id = span.resource_id AND other.product_id = product.id
        AND (other.end_ms IS NULL OR (other.end_ms >= span.start_ms AND other.project_id = span.project_id)))
    GROUP BY span.resource_id, span.project_id LIMIT ${OPENED_MAX}`);
}

function openByWindows(ctx: Context, { id, firstMs }: { id: string; firstMs: number }) {
  return ctx.db.run(sql`
    INSERT INTO billing_subscriptions (id, region, project_id, product_id, kind, resource_type, resource_id, resource_name,
      item_type, opened_by, start_ms, visited_ms, charged_through_ms, due_ms)
    SELECT lower(hex(randomblob(16))), metered.region, metered.project_id, product.id, 'volume', metered.resource_type, metered.resource_id,
      '', 'default', 'window', min(metered.start_ms), min(metered.start_ms) - 1, min(metered.start_ms), min(metered.start_ms) + ${HOUR_MS}
    FROM billing_products product JOIN meter_windows metered ON metered.region = product.region AND metered.meter = product.item
    WHERE product.id = ${id} AND metered.start_ms >= max(${firstMs}, product.reconciled_at_ms - ${2 * EVERY_MS})
      AND NOT EXISTS (SELECT 1 FROM billing_subscriptions other WHERE other.resource_id = metered.resource_id AND other.product_id = product.id)
    GROUP BY metered.resource_id, metered.project_id LIMIT ${OPENED_MAX}`);
}

/** Should an end ever have been missed: the spans say when it was. */
function closeEnded(ctx: Context, productId: string) {
  const spans = sql`usage_spans span WHERE span.resource_type = billing_subscriptions.resource_type AND span.resource_id = billing_subscriptions.resource_id
    AND span.item_type = billing_subscriptions.item_type AND span.project_id = billing_subscriptions.project_id`;
  return ctx.db.run(sql`
    UPDATE billing_subscriptions SET end_ms = (SELECT max(span.end_ms) FROM ${spans}), revision = revision + 1,
      due_ms = (SELECT max(span.end_ms) FROM ${spans}), dirty_from_ms = min(coalesce(dirty_from_ms, visited_ms), (SELECT max(span.end_ms) FROM ${spans}))
    WHERE product_id = ${productId} AND end_ms IS NULL AND kind = 'time' AND opened_by = 'span'
      AND EXISTS (SELECT 1 FROM ${spans}) AND NOT EXISTS (SELECT 1 FROM ${spans} AND span.end_ms IS NULL)`);
}

const reconciled = (ctx: Context, productId: string) =>
  ctx.db.run(sql`UPDATE billing_products SET reconciled_at_ms = ${ctx.clock.nowMs()} WHERE id = ${productId}`);
