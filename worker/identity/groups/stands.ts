import { sql } from 'drizzle-orm';

/**
 * The condition on `group_members` for a membership that has not ended by itself. By the database's clock, so that no
 * condition of which this is a part must be handed the time.
 */
export const stands = sql`(group_members.expires_at_ms IS NULL OR group_members.expires_at_ms > unixepoch('subsec') * 1000)`;
