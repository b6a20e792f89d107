import { sql } from 'drizzle-orm';
import { formatMicros } from '../../../shared/money.ts';
import type { ActorContext } from '../../http/context.ts';
import { iso } from '../../http/times.ts';
import { accountOf } from '../accounts/default-account.ts';
import type { ReportQuery } from '../bodies.ts';
import { DAY_MS } from '../rating/calendar.ts';
import { rowOf } from '../rows.ts';
import { scopeProject } from '../scope.ts';

/** As a literal: a number that is bound is a real one, and does not divide whole. */
const DAY = sql.raw(String(DAY_MS));
/** Days times resources that one answer holds. */
const ROWS_MAX = 20_000;

interface DetailRow {
  dayMs: number;
  item: string;
  resourceId: string;
  resourceName: string;
  fromMs: number;
  throughMs: number;
  currency: string;
  amountMicros: number;
  moneyMicros: number;
}
interface LeftRow {
  currency: string;
  dayMs: number;
  moneyMicros: number;
  voucherMicros: number;
}

/**
 * The statement of a project by days of booking: what each resource cost, how much of it vouchers paid and how much money,
 * and what the account had left of both when the day was over.
 */
export async function detailReport(ctx: ActorContext, of: ReportQuery) {
  const projectId = scopeProject(ctx, 'billing:reports:show', of.project_id);
  const [rows, left] = await ctx.db.batch([
    ctx.db.all<Record<string, unknown>>(booked(ctx, projectId, of)),
    ctx.db.all<Record<string, unknown>>(moved(ctx, projectId)),
  ]);
  const details = rows.map((raw) => rowOf<DetailRow>(raw));
  const moves = left.map((raw) => rowOf<LeftRow>(raw));
  return [...Map.groupBy(details, ({ dayMs, currency }) => `${dayMs} ${currency}`).values()].map((list) =>
    dayView(list, moves),
  );
}

function dayView(list: DetailRow[], moves: LeftRow[]) {
  const [{ dayMs, currency }] = list as [DetailRow];
  const total = (of: (row: DetailRow) => number) =>
    formatMicros(
      list.reduce((sum, row) => sum + of(row), 0),
      currency,
    );
  const until = moves.filter((move) => move.currency === currency && move.dayMs <= dayMs);
  const left = (of: (row: LeftRow) => number) =>
    formatMicros(
      until.reduce((sum, move) => sum + of(move), 0),
      currency,
    );
  return {
    day: iso(dayMs).slice(0, 10),
    currency,
    total_cost: total((row) => row.amountMicros),
    voucher_cost: total((row) => row.amountMicros - row.moneyMicros),
    money_cost: total((row) => row.moneyMicros),
    voucher_left: left((move) => move.voucherMicros),
    money_left: left((move) => move.moneyMicros),
    sources: list.map((row) => ({
      item: row.item,
      resource_id: row.resourceId,
      resource_name: row.resourceName,
      from: iso(row.fromMs),
      to: iso(row.throughMs),
      cost: formatMicros(row.amountMicros, currency),
      voucher_cost: formatMicros(row.amountMicros - row.moneyMicros, currency),
      money_cost: formatMicros(row.moneyMicros, currency),
    })),
  };
}

const booked = (ctx: ActorContext, projectId: string, of: ReportQuery) => sql`
  SELECT purchase.at_ms / ${DAY} * ${DAY} AS day_ms, product.item, subscription.resource_id, max(subscription.resource_name) AS resource_name,
    min(purchase.from_ms) AS from_ms, max(purchase.through_ms) AS through_ms, purchase.currency, sum(purchase.amount_micros) AS amount_micros,
    sum(coalesce((SELECT sum(CASE WHEN paid.from_account LIKE 'revenue:%' THEN -paid.amount_micros ELSE paid.amount_micros END)
      FROM billing_transfers paid WHERE paid.reference = purchase.id AND paid.leg = 'money'), 0)) AS money_micros
  FROM billing_purchases purchase JOIN billing_products product ON product.id = purchase.product_id
  JOIN billing_subscriptions subscription ON subscription.id = purchase.subscription_id
  WHERE purchase.project_id = ${projectId} AND purchase.region = ${ctx.region} AND purchase.at_ms >= ${of.from} AND purchase.at_ms < ${of.to}
    AND (${of.item ?? null} IS NULL OR product.item = ${of.item ?? null}) AND (${of.resource_id ?? null} IS NULL OR subscription.resource_id = ${of.resource_id ?? null})
  GROUP BY day_ms, product.item, subscription.resource_id, purchase.currency
  ORDER BY day_ms, product.item, subscription.resource_id LIMIT ${ROWS_MAX}`;

/** By day, what moved into the account and its vouchers, and out of them. */
const moved = (ctx: ActorContext, projectId: string) => {
  const account = accountOf(ctx.region, projectId);
  const names = sql`SELECT 'customer:' || ${account} AS name, 1 AS own UNION ALL SELECT 'voucher:' || id, 0 FROM billing_vouchers WHERE account_id = ${account}`;
  return sql`
    SELECT currency, day_ms, sum(own * micros) AS money_micros, sum((1 - own) * micros) AS voucher_micros FROM (
      SELECT transfer.currency, transfer.at_ms / ${DAY} * ${DAY} AS day_ms, mine.own, transfer.amount_micros AS micros
      FROM (${names}) mine JOIN billing_transfers transfer ON transfer.to_account = mine.name
      UNION ALL
      SELECT transfer.currency, transfer.at_ms / ${DAY} * ${DAY}, mine.own, -transfer.amount_micros
      FROM (${names}) mine JOIN billing_transfers transfer ON transfer.from_account = mine.name
    ) GROUP BY currency, day_ms ORDER BY day_ms`;
};
