import { type SQL, sql } from 'drizzle-orm';

/** Revocations (`kind`, `subject`) for those who lose by the end of a group what was granted to it, or for one of them. */
export const losersByGroup = (groupId: string, userId?: string): SQL => sql`
  SELECT 'user' AS kind, user_id AS subject FROM group_members
  WHERE group_id = ${groupId} ${userId === undefined ? sql`` : sql`AND user_id = ${userId}`}
    AND EXISTS (SELECT 1 FROM assignments WHERE actor_type = 'group' AND actor_id = ${groupId})`;
