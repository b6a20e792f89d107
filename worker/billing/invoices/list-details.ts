import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import type { detailList } from '../lists.ts';
import { rowOf } from '../rows.ts';
import { detailsOf } from './details-of.ts';
import { findInvoice } from './find-invoice.ts';
import { type DetailRow, detailView } from './invoice-document.ts';

/** What an invoice's lines, or one of them, are the sums of: a subscription each; the marker is the last position of the page before. */
export async function listDetails(ctx: ActorContext, id: string, of: Omit<z.infer<typeof detailList>, 'format'>) {
  const { invoice } = await findInvoice(ctx, 'billing:invoices:show', id);
  const details =
    invoice.status === 'final' ? sql`SELECT * FROM billing_invoice_details WHERE invoice_id = ${id}` : detailsOf(id);
  const chosen = of.line === undefined ? sql`1` : sql`detail.line = ${of.line}`;
  const rows = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT detail.* FROM (${details}) detail WHERE detail.position > ${of.marker} AND ${chosen}
    ORDER BY detail.position LIMIT ${of.limit}`);
  return rows.map((raw) => detailView(rowOf<DetailRow>(raw), invoice));
}
