import { sql } from 'drizzle-orm';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { readRows, type SubscriptionRow } from '../farmer/read-rateables.ts';
import { HOUR_MS, monthEnd, monthName, monthStart } from '../rating/calendar.ts';
import { pricesOf, rateLine } from '../rating/rate-line.ts';
import type { Rateable } from '../rating/rateable.ts';
import { rowOf } from '../rows.ts';
import { scopeProject } from '../scope.ts';

/** Subscriptions that one forecast looks ahead of, and that are read at once. */
const SUBSCRIPTIONS_MAX = 2_000;
const READ_AT_ONCE = 40;

/**
 * What this month will have come to at its end, if all stays as it is: resources live on in their states, prices change as
 * was said, and what is metered goes on as it did on the mean since it began.
 */
export async function forecast(ctx: ActorContext, asked: string | undefined) {
  const projectId = scopeProject(ctx, 'billing:reports:show', asked);
  const now = ctx.clock.nowMs();
  const month = monthStart(now);
  const [spent, raw] = await ctx.db.batch([
    ctx.db.all<{
      currency: string;
      micros: number;
    }>(sql`SELECT currency, sum(booked_micros) AS micros FROM billing_invoice_sums
      WHERE project_id = ${projectId} AND region = ${ctx.region} AND invoice_month_ms = ${month} GROUP BY currency`),
    ctx.db.all<Record<string, unknown>>(sql`SELECT * FROM billing_subscriptions
      WHERE project_id = ${projectId} AND region = ${ctx.region} AND end_ms IS NULL ORDER BY id LIMIT ${SUBSCRIPTIONS_MAX}`),
  ]);
  const totals = new Map(spent.map(({ currency, micros }) => [currency, { spent: BigInt(micros), ahead: 0n }]));
  const rows = raw.map((one) => rowOf<SubscriptionRow>(one));
  for (let at = 0; at < rows.length; at += READ_AT_ONCE) {
    for (const { rateable } of await readRows(ctx.db, rows.slice(at, at + READ_AT_ONCE), month)) {
      const total = totals.get(rateable.product.currency) ?? { spent: 0n, ahead: 0n };
      totals.set(rateable.product.currency, { ...total, ahead: total.ahead + aheadOf(rateable, month, now) });
    }
  }
  return {
    month: monthName(month),
    complete: rows.length < SUBSCRIPTIONS_MAX,
    currencies: [...totals].map(([currency, { spent, ahead }]) => ({
      currency,
      spent: formatMicros(spent, currency),
      forecast: formatMicros(spent + ahead, currency),
    })),
  };
}

/** What the lines of the month will come to at its end, less what is booked of them. */
function aheadOf(of: Rateable, month: number, nowMs: number): bigint {
  const end = monthEnd(month);
  const whole = { ...of, windows: prolonged(of, month, nowMs) };
  let ahead = 0n;
  for (const price of pricesOf(whole, month, end)) {
    const { amountMicros } = rateLine(
      { ...whole, product: { ...of.product, prepaid: false } },
      { price, periodMs: month },
      end,
    );
    const booked = of.booked.find((line) => line.priceId === price.id && line.periodMs === month);
    ahead += amountMicros - BigInt(booked?.amountTotalMicros ?? 0);
  }
  return ahead;
}

/** Windows as they are, and one for each hour to come with their mean. */
function prolonged({ windows, subscription }: Rateable, month: number, nowMs: number) {
  const last = windows.at(-1);
  if (!last) return windows;
  const from = Math.max(month, subscription.startMs);
  const hours = Math.max(
    1,
    Math.floor((Math.max(last.startMs + HOUR_MS, Math.min(nowMs, monthEnd(month))) - from) / HOUR_MS),
  );
  const mean = Math.round(
    windows.filter(({ startMs }) => startMs >= month).reduce((sum, { value }) => sum + value, 0) / hours,
  );
  const coming = [];
  for (let at = from + hours * HOUR_MS; at < monthEnd(month); at += HOUR_MS) coming.push({ startMs: at, value: mean });
  return [...windows, ...coming];
}
