import { type SQL, sql } from 'drizzle-orm';
import { storedMicros } from '../../../shared/money.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { customer, rounding } from '../ledger/names.ts';
import { DAY_MS } from '../rating/calendar.ts';
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

/** Makes those drafts final whose grace is over and whose usage is all booked: the others keep none of them waiting. */
export async function finalizeInvoices(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const drafts = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT invoice.* FROM billing_invoices invoice
    WHERE invoice.region = ${ctx.region} AND invoice.status = 'draft' AND ${MONTH_END} + ${GRACE_MS} <= ${now}
      AND NOT EXISTS (${unbooked(now)}) AND NOT EXISTS (${EARLIER}) ORDER BY invoice.month_ms, invoice.id LIMIT ${FINAL_MAX}`);
  const failed: unknown[] = [];
  for (const draft of drafts.map((raw) => rowOf<InvoiceRow>(raw)))
    await finalizeInvoice(ctx, draft).catch((error: unknown) => failed.push(error));
  if (failed.length > 0) throw failed[0];
}

const MONTH_END = sql`(unixepoch(invoice.month_ms / 1000, 'unixepoch', '+1 month') * 1000)`;

/**
 * What is still to be booked of the month of `invoice`, of any project of its account: what is due, and for a week more what
 * cannot be rated. A machine that is waited for is not waited for here.
 */
const unbooked = (nowMs: number): SQL => sql`SELECT 1 FROM billing_account_projects link
  JOIN billing_subscriptions subscription ON subscription.region = link.region AND subscription.project_id = link.project_id
  WHERE link.account_id = invoice.account_id AND CASE WHEN subscription.fault IS NULL THEN subscription.due_ms <= ${MONTH_END} + ${SETTLE_MS}
    ELSE min(subscription.visited_ms, coalesce(subscription.dirty_from_ms, subscription.visited_ms)) < ${MONTH_END}
      AND coalesce(subscription.end_ms, ${MONTH_END}) > invoice.month_ms AND ${MONTH_END} + ${GRACE_MS + FAULT_WAIT_MS} > ${nowMs} END`;

/** Numbers follow each other by month, and what is late is rounded by what is paid: an invoice waits for the ones before it. */
const EARLIER = sql`SELECT 1 FROM billing_invoices before
  WHERE before.account_id = invoice.account_id AND before.month_ms < invoice.month_ms AND before.status <> 'final'`;

/** Writes lines and details as they are now, numbers the invoice and closes it, in one batch; nothing of it changes after. */
async function finalizeInvoice(ctx: Context, invoice: InvoiceRow): Promise<void> {
  const { id } = invoice;
  const own = (condition: SQL) =>
    sql`EXISTS (SELECT 1 FROM billing_invoices invoice WHERE invoice.id = ${id} AND ${condition})`;
  const lines = await linesNow(ctx, id);
  const purchases = lines.reduce((sum, line) => sum + line.purchases, 0);
  const totalMicros = sumOf(lines.map(({ amountMicros }) => amountMicros));
  try {
    await commit(ctx, {
      audit: { action: 'billing:invoices:finalize', targetType: 'billing-invoice', targetId: id },
      statements: [
        assertThat(ctx.db, 'draft', own(sql`invoice.status = 'draft'`)),
        assertThat(ctx.db, 'booked', own(sql`NOT EXISTS (${unbooked(ctx.clock.nowMs())})`)),
        assertThat(ctx.db, 'in-order', own(sql`NOT EXISTS (${EARLIER})`)),
        assertThat(
          ctx.db,
          'as-summed',
          sql`(SELECT coalesce(sum(purchases), 0) FROM billing_invoice_sums
          WHERE account_id = ${invoice.accountId} AND invoice_month_ms = ${invoice.monthMs} AND currency = ${invoice.currency}) = ${purchases}`,
        ),
        ctx.db.run(sql`INSERT INTO billing_invoice_details (invoice_id, position, line, subscription_id, price_id, project_id, period_ms, from_ms, through_ms,
          resource_id, resource_name, quantity_total, quantity_before, amount_micros) ${detailsOf(id)}`),
        writeLines(ctx, lines),
        ...roundOff(ctx, invoice, totalMicros - sumOf(lines.map(({ bookedMicros }) => bookedMicros))),
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

/** @throws RangeError beyond what is kept */
const sumOf = (list: number[]): number => storedMicros(list.reduce((sum, micros) => sum + BigInt(micros), 0n));

/**
 * What the sum that is paid is more than what was booked, or less: so the account owes its invoices, and nothing between. A
 * voucher that holds it pays it.
 */
function roundOff(ctx: Context, { id, accountId, currency }: InvoiceRow, moreMicros: number): Statement[] {
  if (moreMicros === 0) return [];
  const micros = Math.abs(moreMicros);
  const voucher = sql`(SELECT balance.ledger_account FROM billing_vouchers voucher
    JOIN billing_balances balance ON balance.ledger_account = 'voucher:' || voucher.id AND balance.currency = voucher.currency
    WHERE voucher.account_id = ${accountId} AND voucher.currency = ${currency} AND voucher.expired_at_ms IS NULL AND balance.balance_micros >= ${micros}
    ORDER BY voucher.expires_at_ms, voucher.id LIMIT 1)`;
  const [own, other] = [sql`${customer(accountId)}`, sql`${rounding(ctx.region)}`];
  const [from, to] = moreMicros > 0 ? [sql`coalesce(${voucher}, ${own})`, other] : [other, own];
  return [
    ctx.db.run(sql`
      INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_micros, at_ms)
      VALUES (${ctx.region}, ${id}, 'money', 'rounding', ${from}, ${to}, ${currency}, ${micros}, ${ctx.clock.nowMs()})`),
  ];
}
