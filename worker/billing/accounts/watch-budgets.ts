import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { projectOf, tell } from '../events.ts';
import { monthStart } from '../rating/calendar.ts';

/** Tells of each threshold of a budget that this month's spending has come to; once a month. */
export async function watchBudgets(ctx: Context): Promise<void> {
  const month = monthStart(ctx.clock.nowMs());
  const spent = sql`SELECT watched.account_id, watched.currency, coalesce((
      SELECT sum(sums.booked_micros) FROM billing_invoice_sums sums
      WHERE sums.account_id = watched.account_id AND sums.invoice_month_ms = ${month} AND sums.currency = watched.currency), 0) AS spent_micros
    FROM (SELECT DISTINCT account_id, currency FROM billing_budgets WHERE region = ${ctx.region}) watched`;
  const passed = sql`SELECT budget.*, threshold.value AS threshold, spent.spent_micros
    FROM billing_budgets budget JOIN (${spent}) spent ON spent.account_id = budget.account_id AND spent.currency = budget.currency,
      json_each(budget.thresholds) threshold
    WHERE budget.region = ${ctx.region} AND NOT EXISTS (SELECT 1 FROM billing_budget_alerts alert
      WHERE alert.budget_id = budget.id AND alert.month_ms = ${month} AND alert.threshold = threshold.value)`;
  const due = sql`SELECT * FROM (${passed}) WHERE spent_micros * 100 >= amount_micros * threshold`;
  await runBatch(ctx.db, [
    tell(
      ctx,
      'billing.budget.reached',
      sql`SELECT ${projectOf(sql`due.account_id`)} AS project_id, due.id AS resource_id,
        json_object('id', due.id, 'account_id', due.account_id, 'name', due.name, 'currency', due.currency, 'amount_micros', due.amount_micros, 'spent_micros', due.spent_micros, 'percent', due.threshold) AS data
        FROM (${due}) due ORDER BY due.id, due.threshold`,
    ),
    ctx.db.run(sql`INSERT INTO billing_budget_alerts (budget_id, month_ms, threshold, at_ms)
      SELECT due.id, ${month}, due.threshold, ${ctx.clock.nowMs()} FROM (${due}) due`),
  ]);
}
