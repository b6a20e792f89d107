import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/** A project that an account pays for: whose an event of the account is. */
export const projectOf = (accountId: SQL): SQL =>
  sql`(SELECT min(project_id) FROM billing_account_projects WHERE account_id = ${accountId})`;

/**
 * Tells of what a query finds, in the batch that makes it so.
 * @param found - rows of (project_id, resource_id, version, data): `data` is JSON
 */
export function tell(ctx: Context, type: string, found: SQL): Statement {
  return ctx.db.run(sql`
    INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT 'evt_' || lower(hex(randomblob(16))), ${ctx.region}, found.project_id, ${type}, found.resource_id, found.version, ${ctx.clock.nowMs()}, found.data
    FROM (${found}) found`);
}
