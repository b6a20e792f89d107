import { type SQL, sql } from 'drizzle-orm';
import {
  add,
  type Rational,
  readRational,
  roundToMinor,
  storedMicros,
  subtract,
  writeRational,
  ZERO,
} from '../../../shared/money.ts';
import type { Context } from '../../http/context.ts';
import { rowOf } from '../rows.ts';
import { type DetailKey, FIRST_DETAIL, usedOf } from './details-of.ts';
import type { DetailRow, LineRow } from './invoice-document.ts';

/** A line by what its purchases come to: what else there is to it, its details say. Sums of many are beyond a number. */
export interface SummedLine
  extends Omit<LineRow, 'quantity' | 'fromMs' | 'throughMs' | 'details' | 'bookedMicros' | 'amountMicros'> {
  purchases: number;
  bookedMicros: bigint;
  amountMicros: bigint;
}
type Sums = Record<'bookedMicros' | 'earlierBooked' | 'earlierAmount', string>;
type SummedRow = Omit<SummedLine, 'amountMicros' | 'bookedMicros'> & Sums & { currency: string };

/** Details that one read has. */
const DETAILS_PER_READ = 5_000;

/**
 * The lines of invoices that may still change: their purchases by project, price and month, each rounded once. A line whose
 * usage was in an earlier month is what came too late for that month's invoice: it is the rounded whole less what was paid
 * of it before, so that all invoices together have each sum rounded once.
 * @param invoices - a condition on `invoice`
 */
export async function sumLines(ctx: Context, invoices: SQL): Promise<SummedLine[]> {
  const earlier = (column: string) => sql`CAST(CASE WHEN sums.period_ms = invoice.month_ms THEN 0 ELSE (
    SELECT coalesce(sum(line.${sql.raw(column)}), 0) FROM billing_invoice_lines line JOIN billing_invoices paid ON paid.id = line.invoice_id
    WHERE line.price_id = sums.price_id AND line.period_ms = sums.period_ms AND line.project_id = sums.project_id
      AND paid.account_id = invoice.account_id) END AS TEXT)`;
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT invoice.id AS invoice_id, invoice.currency, sums.project_id, sums.price_id, sums.period_ms, sums.purchases, CAST(sums.booked_micros AS TEXT) AS booked_micros,
      row_number() OVER (PARTITION BY invoice.id ORDER BY sums.project_id, product.item, product.name, sums.period_ms, sums.price_id) AS position,
      product.name AS product, product.item, product.item_type, product.order_unit, product.order_size,
      ${earlier('booked_micros')} AS earlier_booked, ${earlier('amount_micros')} AS earlier_amount
    FROM billing_invoices invoice JOIN billing_invoice_sums sums
      ON sums.account_id = invoice.account_id AND sums.invoice_month_ms = invoice.month_ms AND sums.currency = invoice.currency
    JOIN billing_products product ON product.id = sums.product_id
    WHERE ${invoices} ORDER BY position`);
  return rows.map((raw) => {
    const { currency, bookedMicros, earlierBooked, earlierAmount, ...line } = rowOf<SummedRow>(raw);
    const booked = BigInt(bookedMicros);
    const whole = roundToMinor(BigInt(earlierBooked) + booked, currency);
    return { ...line, bookedMicros: booked, amountMicros: whole - BigInt(earlierAmount) };
  });
}

/** What lines come to. */
export const totalOf = (lines: readonly { amountMicros: bigint }[]): bigint =>
  lines.reduce((sum, line) => sum + line.amountMicros, 0n);

/**
 * The same of one invoice, with what its details say.
 * @throws RangeError for a sum beyond what is kept: see `storedMicros`
 */
export async function linesNow(ctx: Context, invoiceId: string): Promise<(LineRow & { purchases: number })[]> {
  const lines = await sumLines(ctx, sql`invoice.id = ${invoiceId}`);
  const used = await usedByLine(ctx, invoiceId);
  return lines.flatMap((line) => {
    // What was bought since the lines were summed is seen by the next who looks.
    const { quantity = ZERO, ...times } = used.get(keyOf(line)) ?? { details: 0, fromMs: 0, throughMs: 0 };
    if (times.details === 0) return [];
    const [bookedMicros, amountMicros] = [storedMicros(line.bookedMicros), storedMicros(line.amountMicros)];
    return [{ ...line, ...times, bookedMicros, amountMicros, quantity: writeRational(quantity) }];
  });
}

interface Used {
  quantity: Rational;
  details: number;
  fromMs: number;
  throughMs: number;
}
const keyOf = (of: { projectId: string; priceId: string; periodMs: number }) =>
  `${of.projectId} ${of.priceId} ${of.periodMs}`;

async function usedByLine(ctx: Context, invoiceId: string): Promise<Map<string, Used>> {
  const used = new Map<string, Used>();
  for (let after: DetailKey | null = FIRST_DETAIL; after; ) {
    const raw: Record<string, unknown>[] = await ctx.db.all(usedOf(invoiceId, after, DETAILS_PER_READ));
    const rows = raw.map((one) => rowOf<DetailRow>(one));
    for (const row of rows) used.set(keyOf(row), plus(used.get(keyOf(row)), row));
    after = rows.length < DETAILS_PER_READ ? null : (rows.at(-1) ?? null);
  }
  return used;
}

function plus(sum: Used | undefined, row: DetailRow): Used {
  const quantity = subtract(readRational(row.quantityTotal), readRational(row.quantityBefore));
  const { fromMs, throughMs } = row;
  if (!sum) return { quantity, details: 1, fromMs, throughMs };
  return {
    quantity: add(sum.quantity, quantity),
    details: sum.details + 1,
    fromMs: Math.min(sum.fromMs, fromMs),
    throughMs: Math.max(sum.throughMs, throughMs),
  };
}
