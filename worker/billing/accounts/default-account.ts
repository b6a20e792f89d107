import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/** The currency of accounts that nobody has given another; it is only that of limits, not of what is charged. */
export const DEFAULT_CURRENCY = 'EUR';

/** The id of the account that a project has until an operator gives it another. */
export const defaultAccountId = (region: string, projectId: string): string => `${region}.${projectId}`;

/** The account that pays for a project. */
export const accountOf = (region: string, projectId: string): SQL =>
  sql`(SELECT account_id FROM billing_account_projects WHERE region = ${region} AND project_id = ${projectId})`;

/** Makes a project's account where it has none, as the region's defaults are: without any, it may owe without limit. */
export function ensureAccount(ctx: Context, projectId: string): Statement[] {
  const id = defaultAccountId(ctx.region, projectId);
  const now = ctx.clock.nowMs();
  return [
    ctx.db.run(sql`
      INSERT INTO billing_accounts (id, region, name, mode, currency, credit_limit_micros, low_micros, grace_hours, delete_after_days,
        state, state_since_ms, created_at_ms)
      SELECT ${id}, ${ctx.region}, coalesce((SELECT name FROM projects WHERE id = ${projectId}), ${projectId}), coalesce(given.mode, 'postpaid'),
        coalesce(given.currency, ${DEFAULT_CURRENCY}), given.credit_limit_micros, given.low_micros, given.grace_hours, given.delete_after_days, 'ok', ${now}, ${now}
      FROM (SELECT 1) LEFT JOIN billing_defaults given ON given.region = ${ctx.region}
      WHERE NOT EXISTS (SELECT 1 FROM billing_account_projects WHERE region = ${ctx.region} AND project_id = ${projectId})
      ON CONFLICT DO NOTHING`),
    ctx.db.run(sql`
      INSERT INTO billing_account_projects (region, project_id, account_id) VALUES (${ctx.region}, ${projectId}, ${id})
      ON CONFLICT DO NOTHING`),
  ];
}
