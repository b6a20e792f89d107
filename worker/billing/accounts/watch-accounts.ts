import { sql } from 'drizzle-orm';
import { runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { projectOf, tell } from '../events.ts';
import { available } from './available.ts';

/** What an account that has nothing left is called by, and one that has something again. */
const EVENT_OF = {
  ok: 'billing.balance.restored',
  low: 'billing.balance.low',
  exhausted: 'billing.balance.exhausted',
} as const;

/** Notes which accounts have run low, have run out or have something again, and tells of each once. */
export async function watchAccounts(ctx: Context): Promise<void> {
  const now = ctx.clock.nowMs();
  const left = available('account', now);
  const state = sql`CASE WHEN ${left} IS NULL THEN 'ok' WHEN ${left} <= 0 THEN 'exhausted' WHEN ${left} < account.low_micros THEN 'low' ELSE 'ok' END`;
  const changed = sql`SELECT account.id, account.currency, ${left} AS left_micros, ${state} AS state FROM billing_accounts account
    WHERE account.region = ${ctx.region} AND (account.mode = 'prepaid' OR account.credit_limit_micros IS NOT NULL OR account.state <> 'ok') AND account.state <> ${state}`;
  const told = Object.entries(EVENT_OF).map(([name, type]) =>
    tell(
      ctx,
      type,
      sql`SELECT ${projectOf(sql`changed.id`)} AS project_id, changed.id AS resource_id,
        json_object('account_id', changed.id, 'currency', changed.currency, 'available_micros', changed.left_micros) AS data
        FROM (${changed}) changed WHERE changed.state = ${name}`,
    ),
  );
  await runBatch(ctx.db, [
    ...told,
    ctx.db.run(sql`UPDATE billing_accounts SET state = changed.state, state_since_ms = ${now}
      FROM (${changed}) changed WHERE billing_accounts.id = changed.id`),
  ]);
}
