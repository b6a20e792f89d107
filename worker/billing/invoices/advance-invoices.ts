import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, ConstraintFailed, commit, runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { projectOf, tell } from '../events.ts';
import { DAY_MS, monthEnd } from '../rating/calendar.ts';
import { SETTLE_MS } from '../rating/plan-visits.ts';
import { linesOf, totalOf } from './lines-of.ts';

/** How long a month's invoice waits for usage that comes late. */
export const GRACE_MS = 3 * DAY_MS;
/** Invoices that one round makes final; more wait for the next. */
const FINAL_MAX = 50;
const MONTH = sql`strftime('%Y-%m', invoice.month_ms / 1000, 'unixepoch')`;

/** Makes invoices of months that are over drafts, and those final whose grace is over and whose usage is all booked. */
export async function advanceInvoices(ctx: Context): Promise<void> {
  await draftInvoices(ctx);
  const now = ctx.clock.nowMs();
  const drafts = await ctx.db.all<{ id: string; monthMs: number }>(sql`
    SELECT id, month_ms AS "monthMs" FROM billing_invoices WHERE region = ${ctx.region} AND status = 'draft' AND month_ms < ${now - GRACE_MS}
    ORDER BY month_ms, id LIMIT ${FINAL_MAX}`);
  for (const draft of drafts) {
    if (monthEnd(draft.monthMs) + GRACE_MS <= now) await finalizeInvoice(ctx, draft);
  }
}

async function draftInvoices(ctx: Context): Promise<void> {
  const ended = sql`FROM billing_invoices invoice WHERE invoice.region = ${ctx.region} AND invoice.status = 'open'
    AND unixepoch(invoice.month_ms / 1000, 'unixepoch', '+1 month') * 1000 <= ${ctx.clock.nowMs()}`;
  await runBatch(ctx.db, [
    tell(
      ctx,
      'billing.invoice.drafted',
      sql`SELECT ${projectOf(sql`invoice.account_id`)} AS project_id, invoice.id AS resource_id,
        json_object('id', invoice.id, 'account_id', invoice.account_id, 'number', NULL, 'month', ${MONTH}, 'currency', invoice.currency, 'total_minor', ${totalOf(sql`invoice.id`)}) AS data ${ended}`,
    ),
    ctx.db.run(sql`UPDATE billing_invoices SET status = 'draft' WHERE id IN (SELECT invoice.id ${ended})`),
  ]);
}

/** What is still to be booked of the month, of any project of the account. A machine that is waited for is not waited for here. */
const unbooked = (invoiceId: string, monthEndMs: number) => sql`SELECT 1 FROM billing_invoices invoice
  JOIN billing_account_projects link ON link.account_id = invoice.account_id
  JOIN billing_subscriptions subscription ON subscription.region = link.region AND subscription.project_id = link.project_id
  WHERE invoice.id = ${invoiceId} AND subscription.due_ms <= ${monthEndMs + SETTLE_MS} AND subscription.fault IS NULL`;

/** Numbers follow each other by month: an invoice waits for the ones before it. */
const earlier = (invoiceId: string) => sql`SELECT 1 FROM billing_invoices invoice JOIN billing_invoices before
  ON before.account_id = invoice.account_id AND before.month_ms < invoice.month_ms
  WHERE invoice.id = ${invoiceId} AND before.status <> 'final'`;

/** Writes the lines as they are now, numbers the invoice and closes it, in one batch; nothing of it changes after. */
async function finalizeInvoice(ctx: Context, { id, monthMs }: { id: string; monthMs: number }): Promise<void> {
  const now = ctx.clock.nowMs();
  try {
    await commit(ctx, {
      audit: { action: 'billing:invoices:finalize', targetType: 'billing-invoice', targetId: id },
      statements: [
        assertThat(ctx.db, 'draft', sql`EXISTS (SELECT 1 FROM billing_invoices WHERE id = ${id} AND status = 'draft')`),
        assertThat(ctx.db, 'booked', sql`NOT EXISTS (${unbooked(id, monthEnd(monthMs))})`),
        assertThat(ctx.db, 'in-order', sql`NOT EXISTS (${earlier(id)})`),
        ctx.db.run(sql`INSERT INTO billing_invoice_lines (invoice_id, position, subscription_id, price_id, project_id, period_ms, from_ms, through_ms,
          product, item, item_type, resource_id, resource_name, order_unit, order_size, quantity_total, quantity_before, amount_minor) ${linesOf(id)}`),
        ctx.db.run(sql`UPDATE billing_invoices SET status = 'final', finalized_at_ms = ${now},
          total_minor = coalesce((SELECT sum(amount_minor) FROM billing_invoice_lines WHERE invoice_id = ${id}), 0),
          number = 1 + coalesce((SELECT max(other.number) FROM billing_invoices other WHERE other.account_id = billing_invoices.account_id), 0)
          WHERE id = ${id}`),
        tell(
          ctx,
          'billing.invoice.finalized',
          sql`SELECT ${projectOf(sql`invoice.account_id`)} AS project_id, invoice.id AS resource_id,
            json_object('id', invoice.id, 'account_id', invoice.account_id, 'number', invoice.number, 'month', ${MONTH}, 'currency', invoice.currency, 'total_minor', invoice.total_minor) AS data
            FROM billing_invoices invoice WHERE invoice.id = ${id}`,
        ),
      ],
    });
  } catch (error) {
    // Another was at it, or there is still something to book: the next round looks again.
    if (!(error instanceof AssertionFailed || error instanceof ConstraintFailed)) throw error;
  }
}
