import { type SQL, sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { customer, rounding } from '../ledger/names.ts';
import { DAY_MS, monthEnd } from '../rating/calendar.ts';
import { SETTLE_MS } from '../rating/plan-visits.ts';
import { rowOf } from '../rows.ts';
import { detailsOf } from './details-of.ts';
import type { InvoiceRow, LineRow } from './invoice-document.ts';
import { linesNow } from './sum-lines.ts';
import { tellInvoice } from './tell-invoice.ts';

/** How long a month's invoice waits for usage that comes late. */
const GRACE_MS = 3 * DAY_MS;
/** How long it waits then for a subscription that cannot be rated: it is what an operator has to mend that. */
const FAULT_WAIT_MS = 7 * DAY_MS;
/** Invoices that one round makes final; more wait for the next. */
const FINAL_MAX = 50;

/** Makes those drafts final whose grace is over and whose usage is all booked. */
export async function finalizeInvoices(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const drafts = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT * FROM billing_invoices WHERE region = ${ctx.region} AND status = 'draft' AND month_ms < ${now - GRACE_MS}
    ORDER BY month_ms, id LIMIT ${FINAL_MAX}`);
  for (const draft of drafts.map((raw) => rowOf<InvoiceRow>(raw))) {
    if (monthEnd(draft.monthMs) + GRACE_MS <= now) await finalizeInvoice(ctx, draft);
  }
}

/** What is still to be booked of the month, of any project of the account. A machine that is waited for is not waited for here. */
const unbooked = ({ id, monthMs }: InvoiceRow, nowMs: number): SQL => sql`SELECT 1 FROM billing_invoices invoice
  JOIN billing_account_projects link ON link.account_id = invoice.account_id
  JOIN billing_subscriptions subscription ON subscription.region = link.region AND subscription.project_id = link.project_id
  WHERE invoice.id = ${id} AND CASE WHEN subscription.fault IS NULL THEN subscription.due_ms <= ${monthEnd(monthMs) + SETTLE_MS}
    ELSE subscription.visited_ms < ${monthEnd(monthMs)} AND ${monthEnd(monthMs) + GRACE_MS + FAULT_WAIT_MS} > ${nowMs} END`;

/** Numbers follow each other by month: an invoice waits for the ones before it. */
const earlier = ({ id }: InvoiceRow): SQL => sql`SELECT 1 FROM billing_invoices invoice JOIN billing_invoices before
  ON before.account_id = invoice.account_id AND before.month_ms < invoice.month_ms
  WHERE invoice.id = ${id} AND before.status <> 'final'`;

/** Writes lines and details as they are now, numbers the invoice and closes it, in one batch; nothing of it changes after. */
async function finalizeInvoice(ctx: Context, invoice: InvoiceRow): Promise<void> {
  const { id } = invoice;
  const lines = await linesNow(ctx, id);
  const purchases = lines.reduce((sum, line) => sum + line.purchases, 0);
  const totalMicros = lines.reduce((sum, line) => sum + line.amountMicros, 0);
  try {
    await commit(ctx, {
      audit: { action: 'billing:invoices:finalize', targetType: 'billing-invoice', targetId: id },
      statements: [
        assertThat(ctx.db, 'draft', sql`EXISTS (SELECT 1 FROM billing_invoices WHERE id = ${id} AND status = 'draft')`),
        assertThat(ctx.db, 'booked', sql`NOT EXISTS (${unbooked(invoice, ctx.clock.nowMs())})`),
        assertThat(ctx.db, 'in-order', sql`NOT EXISTS (${earlier(invoice)})`),
        assertThat(
          ctx.db,
          'as-summed',
          sql`(SELECT coalesce(sum(purchases), 0) FROM billing_invoice_sums
          WHERE account_id = ${invoice.accountId} AND invoice_month_ms = ${invoice.monthMs} AND currency = ${invoice.currency}) = ${purchases}`,
        ),
        ctx.db.run(sql`INSERT INTO billing_invoice_details (invoice_id, position, subscription_id, price_id, project_id, period_ms, from_ms, through_ms,
          resource_id, resource_name, quantity_total, quantity_before, amount_micros) ${detailsOf(id)}`),
        writeLines(ctx, lines),
        ...roundOff(ctx, invoice, totalMicros - lines.reduce((sum, line) => sum + line.bookedMicros, 0)),
        ctx.db.run(sql`UPDATE billing_invoices SET status = 'final', finalized_at_ms = ${ctx.clock.nowMs()}, total_micros = ${totalMicros},
          number = 1 + coalesce((SELECT max(other.number) FROM billing_invoices other WHERE other.account_id = billing_invoices.account_id), 0)
          WHERE id = ${id}`),
        tellInvoice(ctx, 'billing.invoice.finalized', sql`invoice.total_micros`, sql`invoice.id = ${id}`),
      ],
    });
  } catch (error) {
    // Another was at it, or there is still something to book: the next round looks again.
    if (!(error instanceof AssertionFailed || error instanceof ConstraintFailed)) throw error;
  }
}

function writeLines(ctx: Context, lines: readonly LineRow[]): Statement {
  const of = (member: string) => sql.raw(`line.value ->> '$.${member}'`);
  const members = sql.join(
    [
      'invoiceId',
      'position',
      'projectId',
      'priceId',
      'periodMs',
      'fromMs',
      'throughMs',
      'product',
      'item',
      'itemType',
      'orderUnit',
      'orderSize',
      'details',
      'quantity',
      'bookedMicros',
      'amountMicros',
    ].map(of),
    sql`, `,
  );
  return ctx.db.run(sql`
    INSERT INTO billing_invoice_lines (invoice_id, position, project_id, price_id, period_ms, from_ms, through_ms, product, item, item_type,
      order_unit, order_size, details, quantity, booked_micros, amount_micros)
    SELECT ${members} FROM json_each(${JSON.stringify(lines)}) line`);
}

/** What the sum that is paid is more than what was booked, or less: so the account owes its invoices, and nothing between. */
function roundOff(ctx: Context, { id, accountId, currency }: InvoiceRow, moreMicros: number): Statement[] {
  if (moreMicros === 0) return [];
  const [from, to] = [customer(accountId), rounding(ctx.region)];
  return [
    ctx.db.run(sql`
      INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
      VALUES (${ctx.region}, ${id}, 'money', 'rounding', ${moreMicros > 0 ? from : to}, ${moreMicros > 0 ? to : from}, ${currency},
        ${Math.abs(moreMicros)}, ${ctx.clock.nowMs()})`),
  ];
}
