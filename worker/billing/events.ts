import { type SQL, sql } from 'drizzle-orm';
import type { EventTypeName } from '../../shared/event-types.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/** A moment as events write it. */
export const timeOf = (ms: SQL): SQL => sql`strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;

/** A project that an account pays for: whose an event of the account is. */
export const projectOf = (accountId: SQL): SQL =>
  sql`(SELECT min(project_id) FROM billing_account_projects WHERE account_id = ${accountId})`;

/**
 * Tells of what a query finds, in the batch that makes it so.
 * @param found - rows of (project_id, resource_id, data): `data` is JSON as the type of event says; the outbox numbers them
 */
export function tell(ctx: Context, type: EventTypeName, found: SQL): Statement {
  return ctx.db.run(sql`
    INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
    SELECT '', ${ctx.region}, found.project_id, ${type}, found.resource_id, 0, ${ctx.clock.nowMs()}, found.data
    FROM (${found}) found`);
}
