import { sql } from 'drizzle-orm';
import { add, multiply, type Rational, rational, ZERO } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { DAY_MS, HOUR_MS } from '../rating/calendar.ts';
import { bucketOf, type Grouping, groupingOf, purchasesWith } from './attributes.ts';
import { chosen, type Usage } from './usage.ts';

/** Rows that one summary is made of. */
const ROWS_MAX = 50_000;
/** Digits of a numerator that SQL may sum: ten million such numbers are a whole number of 64 bits still. */
const NUMERATOR_DIGITS_MAX = 12;

/** What some usage comes to: in one currency, since amounts of two have no sum. */
export interface Sum {
  beginMs: number;
  endMs: number;
  qty: Rational;
  micros: bigint;
  currency: string;
  /** By the groupings' names, in their order. */
  values: Record<string, string>;
}

interface Row {
  bucketMs: number;
  currency: string;
  denominator: string;
  /** Where it is too long to be summed; else empty. */
  numerator: string;
  numerators: string;
  count: number;
  micros: number;
  [key: `key${number}`]: string;
}

/**
 * Sums usage exactly. SQL sums amounts, which are whole, and the quantities of one denominator, or counts how often one
 * quantity is there; their sum is made here.
 * @param groupBy - as CloudKitty names it: attributes, `time` (hours), `time-d`, `time-w`, `time-m`, `time-y`
 * @throws ApiError 400 a grouping that is none; more than one summary takes
 */
export async function summarize(ctx: ActorContext, of: Usage, groupBy: readonly string[]): Promise<Sum[]> {
  const byHour = groupBy.includes('time');
  const groupings = [...new Set(groupBy)].filter((name) => name !== 'time').map(groupingOf);
  const rows = await readRows(ctx, of, groupings, byHour);
  if (rows.length > ROWS_MAX) throw badRequest('There is more than one summary takes: ask for less time, or one type.');
  const sums = new Map<string, Sum>();
  for (const row of rows) {
    const values = valuesOf(groupings, row);
    const key = JSON.stringify([byHour && row.bucketMs, row.currency, values]);
    const time = byHour
      ? { beginMs: row.bucketMs, endMs: row.bucketMs + HOUR_MS }
      : { beginMs: of.fromMs, endMs: of.toMs };
    const sum = sums.get(key) ?? { ...time, qty: ZERO, micros: 0n, currency: row.currency, values };
    sums.set(key, { ...sum, qty: add(sum.qty, quantityOf(row)), micros: sum.micros + BigInt(row.micros) });
  }
  return [...sums.values()].sort((a, b) => a.beginMs - b.beginMs || byValues(a, b));
}

function readRows(ctx: ActorContext, of: Usage, groupings: Grouping[], byHour: boolean): Promise<Row[]> {
  const columns = groupings.flatMap((one, at) =>
    'column' in one ? [sql`, ${one.column} AS ${sql.identifier(`key${at}`)}`] : [],
  );
  const timed = byHour || columns.length < groupings.length;
  const bucket = timed ? bucketOf(byHour ? HOUR_MS : DAY_MS) : sql`0`;
  const slash = sql`instr(purchase.quantity, '/')`;
  const numerator = sql`substr(purchase.quantity, 1, ${slash} - 1)`;
  const short = sql`${slash} <= ${sql.raw(String(NUMERATOR_DIGITS_MAX + 1))}`;
  const positions = Array.from({ length: 4 + columns.length }, (_, at) => sql.raw(String(at + 1)));
  return ctx.db.all<Row>(sql`
    SELECT ${bucket} AS "bucketMs", purchase.currency AS currency, substr(purchase.quantity, ${slash} + 1) AS denominator,
      CASE WHEN ${short} THEN '' ELSE ${numerator} END AS numerator${sql.join(columns)},
      CAST(sum(CASE WHEN ${short} THEN CAST(${numerator} AS INTEGER) ELSE 0 END) AS TEXT) AS numerators,
      count(*) AS count, sum(purchase.amount_micros) AS micros
    FROM ${purchasesWith([...of.filters.keys(), ...groupings.map(({ name }) => name)])} WHERE ${chosen(ctx, of)} GROUP BY ${sql.join(positions, sql`, `)} LIMIT ${ROWS_MAX + 1}`);
}

function quantityOf({ denominator, numerator, numerators, count }: Row): Rational {
  if (numerator === '') return rational(BigInt(numerators), BigInt(denominator));
  return multiply(rational(BigInt(numerator), BigInt(denominator)), rational(BigInt(count)));
}

const valuesOf = (groupings: Grouping[], row: Row): Record<string, string> =>
  Object.fromEntries(
    groupings.map((one, at) => [
      one.name,
      'partOf' in one ? String(one.partOf(new Date(row.bucketMs))) : (row[`key${at}`] ?? ''),
    ]),
  );

function byValues(a: Sum, b: Sum): number {
  const [left, right] = [a, b].map(({ values, currency }) => [...Object.values(values), currency]);
  for (const [at, value] of (left ?? []).entries()) {
    const order = value.localeCompare(right?.[at] ?? '', 'en', { numeric: true });
    if (order !== 0) return order;
  }
  return 0;
}
