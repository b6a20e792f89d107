import type { ActorContext } from '../../http/context.ts';
import { findInvoice, linesOf } from './find-invoice.ts';
import { type InvoiceDocument, invoiceView, lineView } from './invoice-document.ts';

/** An invoice with its lines. */
export async function showInvoice(ctx: ActorContext, id: string): Promise<InvoiceDocument> {
  const { invoice, account } = await findInvoice(ctx, 'billing:invoices:show', id);
  const lines = await linesOf(ctx, invoice);
  const totalMicros = invoice.totalMicros ?? lines.reduce((sum, line) => sum + line.amountMicros, 0);
  return {
    invoice: invoiceView(invoice, totalMicros),
    account: { id: account.id, name: account.name },
    lines: lines.map((line) => lineView(line, invoice)),
  };
}
