import { sql } from 'drizzle-orm';
import type { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import type { invoiceList } from '../lists.ts';
import { rowOf } from '../rows.ts';
import { scopeAccount, scopeProjects } from '../scope.ts';
import { type InvoiceRow, invoiceView } from './invoice-document.ts';
import { sumLines, totalOf } from './sum-lines.ts';

/** The invoices of an account, of the token's own where none is named; the last month first. */
export async function listInvoices(ctx: ActorContext, of: z.infer<typeof invoiceList>) {
  const accountId = await accountAsked(ctx, of.account_id);
  const marker = of.marker ?? null;
  const rows = (
    await ctx.db.all<Record<string, unknown>>(sql`
    SELECT invoice.* FROM billing_invoices invoice
    WHERE invoice.region = ${ctx.region} AND (${accountId} IS NULL OR invoice.account_id = ${accountId})
      AND (${of.status ?? null} IS NULL OR invoice.status = ${of.status ?? null})
      AND (${marker} IS NULL OR (invoice.month_ms, invoice.id) < (SELECT month_ms, id FROM billing_invoices WHERE id = ${marker}))
    ORDER BY invoice.month_ms DESC, invoice.id DESC LIMIT ${of.limit}`)
  ).map((raw) => rowOf<InvoiceRow>(raw));
  const changing = JSON.stringify(rows.filter(({ status }) => status !== 'final').map(({ id }) => id));
  const lines = await sumLines(ctx, sql`invoice.id IN (SELECT value FROM json_each(${changing}))`);
  const totals = Map.groupBy(lines, ({ invoiceId }) => invoiceId);
  return rows.map((row) => invoiceView(row, row.totalMicros ?? totalOf(totals.get(row.id) ?? [])));
}

/** Operators who name none mean all: null. */
async function accountAsked(ctx: ActorContext, id: string | undefined): Promise<string | null> {
  if (id === undefined && isAdmin(ctx)) {
    scopeProjects(ctx, 'billing:invoices:list', undefined);
    return null;
  }
  return (await scopeAccount(ctx, 'billing:invoices:list', id ?? 'own')).id;
}
