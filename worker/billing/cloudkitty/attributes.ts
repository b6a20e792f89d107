import { type SQL, sql } from 'drizzle-orm';
import { badRequest } from '../../http/errors.ts';
import { DAY_MS, type HOUR_MS } from '../rating/calendar.ts';

/** What rated usage is told apart by, as CloudKitty's metrics name it: what it is of, and what describes that. */
export const GROUPBY = ['project_id', 'id'] as const;
export const METADATA = ['name', 'item_type', 'flavor_name', 'product', 'price_id', 'currency'] as const;

const COLUMNS: Readonly<Record<'type' | (typeof GROUPBY | typeof METADATA)[number], SQL>> = {
  type: sql`product.item`,
  project_id: sql`purchase.project_id`,
  id: sql`subscription.resource_id`,
  name: sql`subscription.resource_name`,
  item_type: sql`product.item_type`,
  flavor_name: sql`CASE product.item WHEN 'server' THEN product.item_type ELSE '' END`,
  product: sql`product.name`,
  price_id: sql`purchase.price_id`,
  currency: sql`purchase.currency`,
};

/** @param what - in which parameter it is named @throws ApiError 400 there is none of this name */
export function columnOf(name: string, what: string): SQL {
  const column = Object.hasOwn(COLUMNS, name) ? COLUMNS[name as keyof typeof COLUMNS] : undefined;
  if (column) return column;
  throw badRequest(`Invalid ${what} '${name.slice(0, 64)}': it is one of ${Object.keys(COLUMNS).join(', ')}.`);
}

const OF_PRODUCTS = ['type', 'item_type', 'flavor_name', 'product'];
const OF_SUBSCRIPTIONS = ['id', 'name'];

/** Purchases with what these attributes are read from, and no more: there are millions of them. */
export function purchasesWith(names: Iterable<string>): SQL {
  const named = [...names];
  const product = sql` JOIN billing_products product ON product.id = purchase.product_id`;
  const subscription = sql` JOIN billing_subscriptions subscription ON subscription.id = purchase.subscription_id`;
  return sql.join([
    sql`billing_purchases purchase`,
    ...(named.some((name) => OF_PRODUCTS.includes(name)) ? [product] : []),
    ...(named.some((name) => OF_SUBSCRIPTIONS.includes(name)) ? [subscription] : []),
  ]);
}

/** Parts of time that usage is grouped by beside `time`, which is hours: the column's name, and what of a day stands in it. */
const PARTS: Readonly<Record<string, [column: string, of: (day: Date) => number]>> = {
  'time-d': ['day_of_the_year', (day) => dayOfYear(day)],
  // Weeks begin on Sundays; days before the first are in week 0.
  'time-w': ['week_of_the_year', (day) => Math.floor((dayOfYear(day) + 6 - day.getUTCDay()) / 7)],
  'time-m': ['month', (day) => day.getUTCMonth() + 1],
  'time-y': ['year', (day) => day.getUTCFullYear()],
};

const dayOfYear = (day: Date): number =>
  Math.floor((day.getTime() - Date.UTC(day.getUTCFullYear(), 0, 1)) / DAY_MS) + 1;

/** A column of a summary: of the usage itself, or of the time that it was in. */
export type Grouping = { name: string; column: SQL } | { name: string; partOf: (day: Date) => number };

/** @throws ApiError 400 */
export function groupingOf(name: string): Grouping {
  const [part, of] = (Object.hasOwn(PARTS, name) && PARTS[name]) || [];
  if (part !== undefined && of) return { name: part, partOf: of };
  if (name.startsWith('time'))
    throw badRequest(`Invalid groupby time option. There is no groupby processing for [${name.slice(0, 64)}].`);
  return { name, column: columnOf(name, 'groupby') };
}

/** The hour or day in which a service began. As literals: a number that is bound is a real one, and does not divide whole. */
export const bucketOf = (ms: typeof HOUR_MS | typeof DAY_MS): SQL => {
  const length = sql.raw(String(ms));
  return sql`purchase.from_ms / ${length} * ${length}`;
};
