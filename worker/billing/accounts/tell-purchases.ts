import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { tell, timeOf } from '../events.ts';

/** Tells each account what was booked since it was last told: one event a round, however much it was. */
export async function tellPurchases(ctx: Context): Promise<void> {
  const untold = sql`SELECT account.id AS account_id, purchase.project_id, purchase.currency, count(*) AS purchases,
      sum(purchase.amount_micros) AS amount_micros, min(purchase.from_ms) AS from_ms, max(purchase.through_ms) AS through_ms
    FROM billing_accounts account JOIN billing_purchases purchase
      ON purchase.account_id = account.id AND purchase.sequence > account.told_sequence
    WHERE account.region = ${ctx.region} GROUP BY account.id, purchase.project_id, purchase.currency`;
  await runBatch(ctx.db, [
    tell(
      ctx,
      'billing.purchase.created',
      sql`SELECT project_id, account_id AS resource_id,
        json_object('account_id', account_id, 'currency', currency, 'amount_micros', amount_micros, 'purchases', purchases, 'from', ${timeOf(sql`from_ms`)}, 'through', ${timeOf(sql`through_ms`)}) AS data
        FROM (${untold}) untold`,
    ),
    ctx.db.run(sql`UPDATE billing_accounts SET told_sequence = (SELECT max(sequence) FROM billing_purchases WHERE account_id = billing_accounts.id)
      WHERE id IN (SELECT account_id FROM (${untold}))`),
  ]);
}
