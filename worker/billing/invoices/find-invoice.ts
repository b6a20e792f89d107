import { and, eq, sql } from 'drizzle-orm';
import { billingInvoices } from '../../../db/schema/billing.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { type BillingAction, policy } from '../policy.ts';
import { rowOf } from '../rows.ts';
import { type AccountRow, scopeAccount } from '../scope.ts';
import type { InvoiceRow, LineRow } from './invoice-document.ts';
import { linesNow, sumLines } from './sum-lines.ts';

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

/** The lines of an invoice: as they were written where it is final, else as its purchases make them now. */
export async function linesOf(ctx: ActorContext, { id, status }: InvoiceRow): Promise<LineRow[]> {
  if (status !== 'final') return linesNow(ctx, id);
  const rows = await ctx.db.all<Record<string, unknown>>(
    sql`SELECT * FROM billing_invoice_lines WHERE invoice_id = ${id} ORDER BY position`,
  );
  return rows.map((raw) => rowOf<LineRow>(raw));
}

/** What tells a line apart, by its position. @throws ApiError 404 */
export async function findLine(
  ctx: ActorContext,
  invoice: InvoiceRow,
  position: number,
): Promise<Pick<LineRow, 'projectId' | 'priceId' | 'periodMs'>> {
  const lines =
    invoice.status === 'final' ? await linesOf(ctx, invoice) : await sumLines(ctx, sql`invoice.id = ${invoice.id}`);
  const line = lines.find((one) => one.position === position);
  if (!line) throw notFound(`Invoice ${invoice.id} has no line ${position}.`);
  return line;
}
