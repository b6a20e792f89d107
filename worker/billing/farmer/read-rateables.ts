import { sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { billingProducts, billingSubscriptions } from '../../../db/schema/billing.ts';
import { readRational } from '../../../shared/money.ts';
import type { Statement } from '../../http/commit.ts';
import { defaultAccountId } from '../accounts/default-account.ts';
import { DAY_MS, floorHour, monthStart } from '../rating/calendar.ts';
import type { Known, VisitPlan } from '../rating/plan-visits.ts';
import { priceTerms } from '../rating/price-terms.ts';
import { type Booked, lineKey, type Rateable, type Span, type WindowSum } from '../rating/rateable.ts';

export type SubscriptionRow = typeof billingSubscriptions.$inferSelect;
type ProductRow = typeof billingProducts.$inferSelect;

/** A subscription with all that it is rated by, as of one read. */
export interface Read {
  row: SubscriptionRow;
  rateable: Rateable;
  /** Through when the windows of every machine that it used are sealed. */
  sealedThroughMs: number;
  /** Who pays, and whether money that must be spent first may be there. */
  accountId: string;
  vouchers: boolean;
}

interface BookedRow extends Omit<Booked, 'quantityTotal'> {
  quantityTotal: string;
}
interface PriceRow {
  id: string;
  effectiveFromMs: number;
  terms: string;
}

/** The first month that may be rated again: what is of earlier ones need not be read. */
const readFrom = (row: SubscriptionRow): number =>
  monthStart(Math.max(row.startMs, Math.min(row.visitedMs, row.dirtyFromMs ?? row.visitedMs)));

/**
 * Reads all that subscriptions are rated by, in one batch. The rows themselves were read before: a write must say that they
 * are still so.
 * @param fromMs - the first month that is rated; as `readFrom` where none is said
 */
export async function readRows(db: Database, rows: readonly SubscriptionRow[], fromMs?: number): Promise<Read[]> {
  const from = (row: SubscriptionRow) => fromMs ?? readFrom(row);
  const statements = rows.flatMap((row) => statementsOf(db, row, from(row)));
  if (statements.length === 0) return [];
  const results = (await db.batch(statements as [Statement, ...Statement[]])) as unknown as unknown[][];
  const each = statements.length / rows.length;
  const reads: Read[] = [];
  for (const [at, row] of rows.entries()) {
    const own = results.slice(at * each, (at + 1) * each);
    own[SPANS_AT] = await allSpans(db, row, from(row), own[SPANS_AT] as SpanRow[]);
    reads.push(assemble(row, own));
  }
  return reads;
}

type SpanRow = Span & { id: number };
/** Where spans stand among the statements of a row, and how many one answer holds: fewer than a database gives at most. */
const SPANS_AT = 2;
const SPANS_PER_READ = 10_000;

/** Spans of a subscription after one, in the order in which they were written, which is that of their starts. */
const spansOf = (db: Database, row: SubscriptionRow, from: number, afterId: number) =>
  db.all<SpanRow>(sql`SELECT id, start_ms AS "startMs", end_ms AS "endMs", state, quantity FROM usage_spans
    WHERE resource_type = ${row.resourceType} AND resource_id = ${row.resourceId} AND item_type = ${row.itemType} AND project_id = ${row.projectId}
      AND (end_ms IS NULL OR end_ms > ${from}) AND id > ${afterId} ORDER BY id LIMIT ${SPANS_PER_READ}`);

/** A resource may change its state as often as its owner likes: that must not make it free. */
async function allSpans(db: Database, row: SubscriptionRow, from: number, first: SpanRow[]): Promise<SpanRow[]> {
  const spans = [...first];
  for (let page = first; page.length === SPANS_PER_READ; ) {
    page = await spansOf(db, row, from, page.at(-1)?.id ?? 0);
    for (const span of page) spans.push(span);
  }
  return spans;
}

function statementsOf(db: Database, row: SubscriptionRow, from: number): Statement[] {
  const meter = sql`(SELECT item FROM billing_products WHERE id = ${row.productId})`;
  const volume = row.kind === 'volume' ? sql`1` : sql`0`;
  return [
    db.all(
      sql`SELECT id, item, kind, order_unit AS "orderUnit", order_size AS "orderSize", quantity_per AS "quantityPer", interval, prepaid, currency FROM billing_products WHERE id = ${row.productId}`,
    ),
    db.all(
      sql`SELECT id, effective_from_ms AS "effectiveFromMs", terms FROM billing_prices WHERE product_id = ${row.productId} ORDER BY effective_from_ms`,
    ),
    spansOf(db, row, from, 0),
    // As one text: a month has hundreds of them, and a row of a client costs more than it says.
    db.all(sql`SELECT json_group_array(json_array(start_ms, value)) AS listed FROM (
      SELECT start_ms, sum(value) AS value FROM meter_windows
      WHERE ${volume} AND resource_id = ${row.resourceId} AND meter = ${meter} AND start_ms >= ${floorHour(from)} GROUP BY start_ms ORDER BY start_ms)`),
    db.all(sql`SELECT price_id AS "priceId", period_ms AS "periodMs", revision, through_ms AS "throughMs", quantity_total AS "quantityTotal", amount_total_micros AS "amountTotalMicros"
      FROM billing_purchases purchase WHERE subscription_id = ${row.id} AND period_ms >= ${from}
        AND revision = (SELECT max(revision) FROM billing_purchases other
          WHERE other.subscription_id = purchase.subscription_id AND other.price_id = purchase.price_id AND other.period_ms = purchase.period_ms)`),
    db.all(sql`SELECT min(coalesce(progress.sealed_through_ms, 0)) AS sealed FROM (
        SELECT DISTINCT runner_id FROM meter_windows WHERE ${volume} AND resource_id = ${row.resourceId} AND meter = ${meter} AND start_ms >= ${floorHour(from)}
        UNION SELECT runner_id FROM servers WHERE ${volume} AND id = ${row.resourceId} AND runner_id IS NOT NULL
        UNION SELECT runner_id FROM ports WHERE ${volume} AND id = ${row.resourceId} AND runner_id IS NOT NULL
      ) machine LEFT JOIN meter_progress progress ON progress.runner_id = machine.runner_id`),
    db.all(sql`SELECT account_id AS "accountId",
        EXISTS (SELECT 1 FROM billing_vouchers voucher WHERE voucher.account_id = link.account_id AND voucher.expired_at_ms IS NULL) AS vouchers
      FROM billing_account_projects link WHERE region = ${row.region} AND project_id = ${row.projectId}`),
  ];
}

function assemble(row: SubscriptionRow, results: unknown[][]): Read {
  const [products, prices, spans, windows, booked, sealed, payers] = results as [
    ProductRow[],
    PriceRow[],
    Span[],
    { listed: string }[],
    BookedRow[],
    { sealed: number | null }[],
    { accountId: string; vouchers: number }[],
  ];
  const product = products[0];
  if (!product) throw new Error(`subscription ${row.id} is of no product`);
  // What has no spans, and was subscribed by call, is there from subscribing to unsubscribing.
  const own = { startMs: row.startMs, endMs: row.endMs, state: 'active', quantity: row.quantity };
  return {
    row,
    rateable: {
      product: { ...product, prepaid: Boolean(product.prepaid) },
      prices: prices.map((price) => ({ ...price, terms: priceTerms.parse(JSON.parse(price.terms)) })),
      subscription: row,
      spans: row.kind === 'time' && row.openedBy === 'call' && spans.length === 0 ? [own] : spans,
      windows: windowsOf(windows[0]?.listed ?? '[]'),
      booked: booked.map((line) => ({ ...line, quantityTotal: readRational(line.quantityTotal) })),
    },
    sealedThroughMs: sealed[0]?.sealed ?? 0,
    accountId: payers[0]?.accountId ?? defaultAccountId(row.region, row.projectId),
    vouchers: Boolean(payers[0]?.vouchers),
  };
}

/** @throws RangeError for a sum that JSON does not say exactly */
function windowsOf(listed: string): WindowSum[] {
  return (JSON.parse(listed) as [number, number][]).map(([startMs, value]) => {
    if (!Number.isSafeInteger(value)) throw new RangeError(`the windows of ${startMs} are beyond what is kept`);
    return { startMs, value };
  });
}

/**
 * A machine that is away this long is waited for no longer: what the others have sealed is charged, and what it brings
 * later is a difference of its own.
 */
const DEFERRED_MS_MAX = 7 * DAY_MS;

/** What is known at a moment of a subscription that was read. */
export const knownAt = ({ sealedThroughMs }: Read, nowMs: number): Known => ({
  nowMs,
  sealedThroughMs: Math.max(sealedThroughMs, floorHour(nowMs - DEFERRED_MS_MAX)),
});

/**
 * What a subscription is once a plan is booked, without asking: had it changed since it was read, the plan would not be
 * booked, and were it to change now, what follows will not be.
 */
export function goOn({ row, rateable, ...read }: Read, plan: VisitPlan, booked: readonly Booked[]): Read {
  const { visitedMs, chargedThroughMs, dueMs } = plan;
  const own = { ...row, visitedMs, chargedThroughMs, dueMs, dirtyFromMs: null, revision: row.revision + 1 };
  const lines = new Map([...rateable.booked, ...booked].map((line) => [lineKey(line), line]));
  return { ...read, row: own, rateable: { ...rateable, subscription: own, booked: [...lines.values()] } };
}
