import { html } from 'hono/html';
import type { InvoiceDocument } from './invoice-document.ts';

/** An invoice as a page that prints well: no script, nothing from elsewhere, and every text escaped. */
export async function invoiceHtml({ invoice, account, lines }: InvoiceDocument): Promise<string> {
  const title = invoice.number === null ? `Draft ${invoice.month}` : `Invoice ${invoice.number}`;
  const day = (at: string) => at.replace('T', ' ').slice(0, 16);
  const rows = lines.map(
    (line) => html`<tr>
<td>${line.position}</td>
<td>${line.product}${line.adjustment ? html` <em>(used in ${line.from.slice(0, 7)})</em>` : ''}<br><small>${line.resources} ${line.resources === 1 ? 'resource' : 'resources'} of project ${line.project_id}</small></td>
<td>${day(line.from)}<br>${day(line.to)}</td>
<td class="n">${line.quantity} × ${line.order_size} ${line.order_unit}</td>
<td class="n">${line.amount}</td>
</tr>
`,
  );
  const page = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<title>${title}</title>
<style>
body { font: 10pt/1.4 sans-serif; margin: 2cm; color: #000; }
table { width: 100%; border-collapse: collapse; }
th, td { text-align: left; vertical-align: top; padding: 4pt 6pt; border-bottom: 0.5pt solid #999; }
.n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
tfoot td { border-top: 1pt solid #000; font-weight: bold; }
@page { size: A4; margin: 2cm; }
@media print { body { margin: 0; } }
</style>
</head>
<body>
<h1>${title}</h1>
<p>${account.name}<br>Account ${account.id}<br>Month ${invoice.month} (UTC)${invoice.finalized_at === null ? '' : html`<br>Issued ${day(invoice.finalized_at)}`}</p>
<table>
<thead><tr><th>#</th><th>Product</th><th>From, to (UTC)</th><th class="n">Quantity</th><th class="n">${invoice.currency}</th></tr></thead>
<tbody>
${rows}</tbody>
<tfoot><tr><td colspan="4">Total, without tax</td><td class="n">${invoice.total}</td></tr></tfoot>
</table>
</body>
</html>
`;
  return String(await page);
}
