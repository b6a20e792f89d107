import type { InvoiceDocument } from './invoice-document.ts';

const COLUMNS = [
  'position',
  'project_id',
  'product',
  'item',
  'item_type',
  'resource_id',
  'resource_name',
  'from',
  'to',
  'adjustment',
  'quantity',
  'order_unit',
  'order_size',
  'amount',
] as const;
/** What somebody named: a spreadsheet must not take it for a formula. */
const NAMED = new Set<string>(['product', 'item_type', 'resource_id', 'resource_name']);

/** An invoice's lines as CSV (RFC 4180), with the currency in each and the total last. */
export function invoiceCsv({ invoice, lines }: InvoiceDocument): string {
  const rows = lines.map((line) => [
    ...COLUMNS.map((column) => (NAMED.has(column) ? unformulated(String(line[column])) : String(line[column]))),
    invoice.currency,
  ]);
  const total = COLUMNS.map((column) => (column === 'amount' ? invoice.total : column === 'position' ? 'total' : ''));
  return [[...COLUMNS, 'currency'], ...rows, [...total, invoice.currency]]
    .map((row) => `${row.map(quoted).join(',')}\r\n`)
    .join('');
}

const unformulated = (text: string): string => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text);
const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);
