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
import { type DetailKey, FIRST_DETAIL, quantitiesOf } from './details-of.ts';
import type { DetailRow, LineRow } from './invoice-document.ts';

/** A line before its quantity is known, by what its purchases come to. */
export type SummedLine = Omit<LineRow, 'quantity'> & { purchases: number };
interface SummedRow extends Omit<SummedLine, 'amountMicros'> {
  currency: string;
  earlierBooked: number;
  earlierAmount: number;
}

/** Subscriptions whose quantities one read has. */
const QUANTITIES_PER_READ = 5_000;

/**
 * The lines of invoices that may still change: their purchases by project, price and month, each rounded once. A line whose
 * usage was in an earlier month is what came too late for that month's invoice: it is the rounded whole less what was paid
 * of it before, so that all invoices together have each sum rounded once.
 * @param invoices - a condition on `invoice`
 */
export async function sumLines(ctx: Context, invoices: SQL): Promise<SummedLine[]> {
  const earlier = (column: string) => sql`CASE WHEN purchase.period_ms = invoice.month_ms THEN 0 ELSE (
    SELECT coalesce(sum(line.${sql.raw(column)}), 0) FROM billing_invoice_lines line JOIN billing_invoices paid ON paid.id = line.invoice_id
    WHERE line.price_id = purchase.price_id AND line.period_ms = purchase.period_ms AND line.project_id = purchase.project_id
      AND paid.account_id = invoice.account_id) END`;
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT invoice.id AS invoice_id, invoice.currency, purchase.project_id, purchase.price_id, purchase.period_ms,
      row_number() OVER (PARTITION BY invoice.id ORDER BY purchase.project_id, product.item, product.name, purchase.period_ms, purchase.price_id) AS position,
      min(purchase.from_ms) AS from_ms, max(purchase.through_ms) AS through_ms,
      product.name AS product, product.item, product.item_type, product.order_unit, product.order_size,
      count(DISTINCT purchase.subscription_id) AS details, count(*) AS purchases, sum(purchase.amount_micros) AS booked_micros,
      ${earlier('booked_micros')} AS earlier_booked, ${earlier('amount_micros')} AS earlier_amount
    FROM billing_invoices invoice JOIN billing_purchases purchase
      ON purchase.account_id = invoice.account_id AND purchase.invoice_month_ms = invoice.month_ms AND purchase.currency = invoice.currency
    JOIN billing_products product ON product.id = purchase.product_id
    WHERE ${invoices} GROUP BY invoice.id, purchase.project_id, purchase.price_id, purchase.period_ms ORDER BY position`);
  return rows.map((raw) => {
    const { currency, earlierBooked, earlierAmount, ...line } = rowOf<SummedRow>(raw);
    const whole = roundToMinor(BigInt(earlierBooked) + BigInt(line.bookedMicros), currency);
    return { ...line, amountMicros: storedMicros(whole - BigInt(earlierAmount)) };
  });
}

/** The same of one invoice, each with its quantity. */
export async function linesNow(ctx: Context, invoiceId: string): Promise<(LineRow & { purchases: number })[]> {
  const lines = await sumLines(ctx, sql`invoice.id = ${invoiceId}`);
  const quantities = await sumQuantities(ctx, invoiceId);
  return lines.map((line) => ({ ...line, quantity: writeRational(quantities.get(keyOf(line)) ?? ZERO) }));
}

const keyOf = (of: { projectId: string; priceId: string; periodMs: number }) =>
  `${of.projectId} ${of.priceId} ${of.periodMs}`;

async function sumQuantities(ctx: Context, invoiceId: string): Promise<Map<string, Rational>> {
  const sums = new Map<string, Rational>();
  for (let after: DetailKey | null = FIRST_DETAIL; after; ) {
    const raw: Record<string, unknown>[] = await ctx.db.all(quantitiesOf(invoiceId, after, QUANTITIES_PER_READ));
    const rows = raw.map((one) => rowOf<DetailRow>(one));
    for (const row of rows) {
      const used = subtract(readRational(row.quantityTotal), readRational(row.quantityBefore));
      sums.set(keyOf(row), add(sums.get(keyOf(row)) ?? ZERO, used));
    }
    after = rows.length < QUANTITIES_PER_READ ? null : (rows.at(-1) ?? null);
  }
  return sums;
}
