import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { projectOf, tell } from '../events.ts';

const MONTH = sql`strftime('%Y-%m', invoice.month_ms / 1000, 'unixepoch')`;

/** Tells of invoices, in the batch that makes them so. @param which - a condition on `invoice` */
export const tellInvoice = (
  ctx: Context,
  type: 'billing.invoice.drafted' | 'billing.invoice.finalized',
  totalMicros: SQL,
  which: SQL,
): Statement =>
  tell(
    ctx,
    type,
    sql`SELECT ${projectOf(sql`invoice.account_id`)} AS project_id, invoice.id AS resource_id,
      json_object('id', invoice.id, 'account_id', invoice.account_id, 'number', invoice.number, 'month', ${MONTH},
        'currency', invoice.currency, 'total_micros', ${totalMicros}) AS data
      FROM billing_invoices invoice WHERE ${which}`,
  );
