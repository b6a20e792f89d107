import { add, formatMicros, formatRational, readRational, ZERO } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { iso, isoOrNull } from '../../http/times.ts';
import type { ReportQuery } from '../bodies.ts';
import { intervalStart, monthStart } from '../rating/calendar.ts';
import { purchasesBetween, type ReportedPurchase } from './purchases-between.ts';

/** Sums a group of purchases that are of one resource, product and price: what was used, and what it cost. */
function summed(group: ReportedPurchase[]) {
  const [one] = group as [ReportedPurchase];
  const quantity = group.reduce((sum, { quantity }) => add(sum, readRational(quantity)), ZERO);
  const micros = group.reduce((sum, { amountMicros }) => sum + BigInt(amountMicros), 0n);
  return {
    resource_id: one.resourceId,
    resource_name: one.resourceName,
    item_type: one.itemType,
    product: one.product,
    order_unit: one.orderUnit,
    order_size: one.orderSize,
    price: JSON.parse(one.terms) as unknown,
    currency: one.currency,
    quantity: formatRational(quantity, 9),
    amount: formatMicros(micros, one.currency),
    created_at: iso(one.startMs),
    ended_at: isoOrNull(one.endMs),
  };
}

const byResource = (rows: ReportedPurchase[]) =>
  [...Map.groupBy(rows, (row) => `${row.subscriptionId} ${row.priceId}`).values()].map(summed);

/** What was used and what it cost: region -> item -> a row for each resource and price. */
export async function usageReport(ctx: ActorContext, of: ReportQuery) {
  const rows = await purchasesBetween(ctx, of);
  const items = Map.groupBy(rows, (row) => row.item);
  return { [ctx.region]: Object.fromEntries([...items].map(([item, list]) => [item, byResource(list)])) };
}

const UNIT = { hours: 'hourly', days: 'daily', months: 'monthly' } as const;

/** The same for each hour, day or month (UTC) in which a service began. */
export async function periodReport(ctx: ActorContext, of: ReportQuery) {
  const rows = await purchasesBetween(ctx, of);
  const periods = Map.groupBy(rows, (row) => intervalStart(UNIT[of.period], row.fromMs));
  return [...periods].sort(([a], [b]) => a - b).map(([start, list]) => ({ start: iso(start), items: itemsOf(list) }));
}

const itemsOf = (list: ReportedPurchase[]) =>
  Object.fromEntries([...Map.groupBy(list, (row) => row.item)].map(([item, some]) => [item, byResource(some)]));

/** What each month came to: region -> month -> item -> amount by currency. */
export async function monthlyReport(ctx: ActorContext, of: ReportQuery) {
  const rows = await purchasesBetween(ctx, of);
  const months = Map.groupBy(rows, (row) => iso(monthStart(row.periodMs)));
  const amounts = (list: ReportedPurchase[]) =>
    Object.fromEntries(
      [...Map.groupBy(list, (row) => row.currency)].map(([currency, some]) => [
        currency,
        formatMicros(
          some.reduce((sum, { amountMicros }) => sum + BigInt(amountMicros), 0n),
          currency,
        ),
      ]),
    );
  const items = (list: ReportedPurchase[]) =>
    Object.fromEntries([...Map.groupBy(list, (row) => row.item)].map(([item, some]) => [item, amounts(some)]));
  return { [ctx.region]: Object.fromEntries([...months].map(([month, list]) => [month, items(list)])) };
}
