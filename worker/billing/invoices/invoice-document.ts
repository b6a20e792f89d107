import type { billingInvoiceDetails, billingInvoiceLines, billingInvoices } from '../../../db/schema/billing.ts';
import { formatMicros } from '../../../shared/money.ts';
import { iso, isoOrNull } from '../../http/times.ts';
import { monthName } from '../rating/calendar.ts';
import { quantityBetween, quantityView } from '../views.ts';

export type InvoiceRow = typeof billingInvoices.$inferSelect;
export type LineRow = typeof billingInvoiceLines.$inferSelect;
export type DetailRow = typeof billingInvoiceDetails.$inferSelect;

export const invoiceView = (row: InvoiceRow, totalMicros: number | bigint) => ({
  id: row.id,
  account_id: row.accountId,
  number: row.number,
  month: monthName(row.monthMs),
  currency: row.currency,
  status: row.status,
  total: formatMicros(totalMicros, row.currency),
  finalized_at: isoOrNull(row.finalizedAtMs),
});

/** A line; `adjustment` says that its usage was in a month whose invoice was final already, `booked` what was rounded. */
export const lineView = (row: LineRow, invoice: InvoiceRow) => ({
  position: row.position,
  project_id: row.projectId,
  price_id: row.priceId,
  product: row.product,
  item: row.item,
  item_type: row.itemType,
  resources: row.details,
  from: iso(row.fromMs),
  to: iso(row.throughMs),
  adjustment: row.periodMs !== invoice.monthMs,
  quantity: quantityView(row.quantity),
  order_unit: row.orderUnit,
  order_size: row.orderSize,
  booked: formatMicros(row.bookedMicros, invoice.currency),
  amount: formatMicros(row.amountMicros, invoice.currency),
});

/** What a line has of one subscription: exact to a millionth, since only the line is rounded to what is paid. */
export const detailView = (row: DetailRow, invoice: InvoiceRow) => ({
  position: row.position,
  line: row.line,
  project_id: row.projectId,
  subscription_id: row.subscriptionId,
  price_id: row.priceId,
  resource_id: row.resourceId,
  resource_name: row.resourceName,
  from: iso(row.fromMs),
  to: iso(row.throughMs),
  adjustment: row.periodMs !== invoice.monthMs,
  quantity: quantityBetween(row.quantityBefore, row.quantityTotal),
  booked: formatMicros(row.amountMicros, invoice.currency),
});

/** An invoice as it is rendered, whatever the format. */
export interface InvoiceDocument {
  invoice: ReturnType<typeof invoiceView>;
  account: { id: string; name: string };
  lines: ReturnType<typeof lineView>[];
}
