import { sql } from 'drizzle-orm';
import { formatMicros, formatRational, writeRational } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { iso, isoOrNull } from '../../http/times.ts';
import { readRows, type SubscriptionRow } from '../farmer/read-rateables.ts';
import { floorHour, monthEnd } from '../rating/calendar.ts';
import { rateLine } from '../rating/rate-line.ts';
import { rowOf } from '../rows.ts';
import { scopeProject } from '../scope.ts';
import { type PurchaseRow, purchaseView, subscriptionView } from '../views.ts';

/** A purchase by its id. @throws ApiError 404 none, or another project's */
async function findPurchase(ctx: ActorContext, id: string): Promise<PurchaseRow> {
  const [raw] = await ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_purchases WHERE id = ${id} AND region = ${ctx.region}`,
  );
  const missing = () => notFound(`There is no purchase ${id}.`);
  if (!raw) throw missing();
  const row = rowOf<PurchaseRow>(raw);
  try {
    scopeProject(ctx, 'billing:purchases:show', row.projectId);
  } catch (error) {
    throw error instanceof ApiError && error.status === 404 ? missing() : error;
  }
  return row;
}

/**
 * Why a purchase is what it is: its line's price, each span or window that the line counts, and what the line comes to by
 * them. `meter_windows` lead on to the samples of their machine.
 */
export async function showEvidence(ctx: ActorContext, id: string) {
  const purchase = await findPurchase(ctx, id);
  const [raw] = await ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_subscriptions WHERE id = ${purchase.subscriptionId}`,
  );
  const row = rowOf<SubscriptionRow>(raw ?? {});
  const [read] = await readRows(ctx.db, [row], purchase.periodMs);
  const price = read?.rateable.prices.find((one) => one.id === purchase.priceId);
  if (!read || !price) throw notFound(`The price of purchase ${id} is gone.`);
  const line = rateLine(read.rateable, { price, periodMs: purchase.periodMs }, purchase.asOfMs);
  const { product, spans } = read.rateable;
  return {
    purchase: purchaseView(purchase),
    subscription: subscriptionView(row),
    price: { id: price.id, effective_from: iso(price.effectiveFromMs), terms: price.terms },
    line: {
      from: iso(line.fromMs),
      to: iso(line.throughMs),
      order_unit: product.orderUnit,
      order_size: product.orderSize,
      quantity_exact: writeRational(line.quantity),
      quantity: formatRational(line.quantity, 9),
      amount: formatMicros(line.amountMicros, product.currency),
    },
    spans: spans
      .filter((span) => span.startMs < line.throughMs && (span.endMs === null || span.endMs > line.fromMs))
      .map((span) => ({
        start: iso(span.startMs),
        end: isoOrNull(span.endMs),
        state: span.state,
        quantity: span.quantity,
        weight: price.terms.weights[span.state] ?? '1',
      })),
    windows: product.kind === 'volume' ? await windowsOf(ctx, row, product.item, line) : [],
  };
}

async function windowsOf(
  ctx: ActorContext,
  row: SubscriptionRow,
  meter: string,
  { fromMs, throughMs }: { fromMs: number; throughMs: number },
) {
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT start_ms, runner_id, value, coverage, revision FROM meter_windows
    WHERE resource_id = ${row.resourceId} AND meter = ${meter} AND start_ms >= ${floorHour(fromMs)} AND start_ms < ${Math.min(throughMs, monthEnd(fromMs))}
    ORDER BY start_ms, runner_id`);
  return rows.map((raw) => {
    const one = rowOf<{ startMs: number; runnerId: string; value: number; coverage: number; revision: number }>(raw);
    // Which machine it was is the operator's to know; that it was another one is not.
    return { start: iso(one.startMs), value: one.value, coverage_percent: one.coverage / 100, revision: one.revision };
  });
}
