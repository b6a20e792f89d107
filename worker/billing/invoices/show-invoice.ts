import { and, eq, sql } from 'drizzle-orm';
import { billingInvoices } from '../../../db/schema/billing.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { type BillingAction, policy } from '../policy.ts';
import { rowOf } from '../rows.ts';
import { type AccountRow, scopeAccount } from '../scope.ts';
import { type InvoiceDocument, type InvoiceRow, invoiceView, type LineRow, lineView } from './invoice-document.ts';
import { linesOf } from './lines-of.ts';

/** Lines that an answer holds; one of more is read by its purchases. */
const LINES_MAX = 20_000;

/** An invoice that the actor may see, and whose it is. @throws ApiError 403, 404 */
export async function findInvoice(
  ctx: ActorContext,
  action: BillingAction,
  id: string,
): Promise<{ invoice: InvoiceRow; account: AccountRow }> {
  if (policy[action] === 'admin') authorize(ctx, policy, action);
  const [invoice] = await ctx.db
    .select()
    .from(billingInvoices)
    .where(and(eq(billingInvoices.id, id), eq(billingInvoices.region, ctx.region)));
  const missing = () => notFound(`There is no invoice ${id}.`);
  if (!invoice) throw missing();
  const account = await scopeAccount(ctx, action, invoice.accountId).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 404 ? missing() : error;
  });
  return { invoice, account };
}

/** An invoice with its lines: as they were written where it is final, else as its purchases make them now. */
export async function showInvoice(ctx: ActorContext, id: string): Promise<InvoiceDocument> {
  const { invoice, account } = await findInvoice(ctx, 'billing:invoices:show', id);
  const rows = (await invoiceLines(ctx, invoice)).map((raw) => rowOf<LineRow>(raw));
  const totalMinor = invoice.totalMinor ?? rows.reduce((sum, line) => sum + line.amountMinor, 0);
  return {
    invoice: invoiceView(invoice, totalMinor),
    account: { id: account.id, name: account.name },
    lines: rows.map((row) => lineView(row, invoice)),
  };
}

function invoiceLines(ctx: ActorContext, { id, status }: InvoiceRow): Promise<Record<string, unknown>[]> {
  const query =
    status === 'final'
      ? sql`SELECT * FROM billing_invoice_lines WHERE invoice_id = ${id} ORDER BY position LIMIT ${LINES_MAX}`
      : sql`${linesOf(id)} ORDER BY position LIMIT ${LINES_MAX}`;
  return ctx.db.all<Record<string, unknown>>(query);
}
