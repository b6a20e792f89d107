import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { sumLines, totalOf } from './sum-lines.ts';
import { tellInvoice } from './tell-invoice.ts';

/** Invoices that one round makes drafts; more wait for the next. */
const DRAFTED_MAX = 200;

/** Makes invoices of months that are over drafts, and tells what they come to as yet. */
export async function draftInvoices(ctx: Context): Promise<void> {
  const ended = await ctx.db.all<{ id: string }>(sql`
    SELECT id FROM billing_invoices WHERE region = ${ctx.region} AND status = 'open'
      AND unixepoch(month_ms / 1000, 'unixepoch', '+1 month') * 1000 <= ${ctx.clock.nowMs()} ORDER BY month_ms, id LIMIT ${DRAFTED_MAX}`);
  if (ended.length === 0) return;
  const ids = sql`SELECT value FROM json_each(${JSON.stringify(ended.map(({ id }) => id))})`;
  const lines = await sumLines(ctx, sql`invoice.id IN (${ids})`);
  const totals = [...Map.groupBy(lines, ({ invoiceId }) => invoiceId)].map(([id, list]) => ({
    id,
    totalMicros: String(totalOf(list)),
  }));
  const total = sql`(SELECT CAST(one.value ->> '$.totalMicros' AS INTEGER) FROM json_each(${JSON.stringify(totals)}) one WHERE one.value ->> '$.id' = invoice.id)`;
  // Another farmer may have been there: only what is still open is told of.
  await runBatch(ctx.db, [
    tellInvoice(
      ctx,
      'billing.invoice.drafted',
      sql`coalesce(${total}, 0)`,
      sql`invoice.id IN (${ids}) AND invoice.status = 'open'`,
    ),
    ctx.db.run(sql`UPDATE billing_invoices SET status = 'draft' WHERE id IN (${ids}) AND status = 'open'`),
  ]);
}
