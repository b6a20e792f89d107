import type { detailView, InvoiceDocument } from './invoice-document.ts';

const LINE_COLUMNS = [
  'position',
  'project_id',
  'product',
  'item',
  'item_type',
  'resources',
  'from',
  'to',
  'adjustment',
  'quantity',
  'order_unit',
  'order_size',
  'booked',
  'amount',
] as const;
const DETAIL_COLUMNS = [
  'position',
  'project_id',
  'subscription_id',
  'resource_id',
  'resource_name',
  'from',
  'to',
  'adjustment',
  'quantity',
  'booked',
] as const;
/** What somebody named: a spreadsheet must not take it for a formula. */
const NAMED = new Set<string>(['product', 'item_type', 'resource_id', 'resource_name']);

/** An invoice's lines as CSV (RFC 4180), with the currency in each and the total last. */
export function linesCsv({ invoice, lines }: InvoiceDocument): string {
  const total = LINE_COLUMNS.map((column) =>
    column === 'amount' ? invoice.total : column === 'position' ? 'total' : '',
  );
  return csv([
    [...LINE_COLUMNS, 'currency'],
    ...lines.map((line) => [...LINE_COLUMNS.map((column) => cell(column, line[column])), invoice.currency]),
    [...total, invoice.currency],
  ]);
}

/** A page of details as CSV. */
export const detailsCsv = (details: ReturnType<typeof detailView>[]): string =>
  csv([[...DETAIL_COLUMNS], ...details.map((one) => DETAIL_COLUMNS.map((column) => cell(column, one[column])))]);

const cell = (column: string, value: string | number | boolean): string =>
  NAMED.has(column) ? unformulated(String(value)) : String(value);
const unformulated = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
const csv = (rows: string[][]): string => rows.map((row) => `${row.map(quoted).join(',')}\r\n`).join('');
