import { type SQL, sql } from 'drizzle-orm';
import { countsInTokens, isOfUser } from '../assignments/of-user.ts';

/** A subquery: the ids of the projects above the given one. */
export const idsAbove = (id: SQL | string): SQL => sql`(WITH RECURSIVE above(id) AS (
    SELECT projects.parent_id FROM projects WHERE projects.id = ${id}
    UNION SELECT projects.parent_id FROM projects JOIN above ON projects.id = above.id
  ) SELECT above.id FROM above WHERE above.id IS NOT NULL)`;

/** A subquery: the ids of the projects below the given one. */
export const idsBelow = (id: SQL | string): SQL => sql`(WITH RECURSIVE below(id) AS (
    SELECT projects.id FROM projects WHERE projects.parent_id = ${id}
    UNION SELECT projects.id FROM projects JOIN below ON projects.parent_id = below.id
  ) SELECT below.id FROM below)`;

/** A subquery: the ids of the projects that a user holds a role on, there or from above, directly or by a group. */
export const idsOfUser = (userId: string): SQL => sql`(
  WITH RECURSIVE
    held AS (
      SELECT assignments.target_type, assignments.target_id, assignments.inherited FROM assignments
      JOIN roles ON roles.id = assignments.role_id
      WHERE ${isOfUser(userId)} AND ${countsInTokens}
    ),
    below(id) AS (
      SELECT projects.id FROM projects JOIN held ON held.target_id = projects.parent_id
      WHERE held.target_type = 'project' AND held.inherited = 1
      UNION SELECT projects.id FROM projects JOIN below ON projects.parent_id = below.id
    )
  SELECT target_id FROM held WHERE target_type = 'project' AND inherited = 0
  UNION SELECT id FROM below
  UNION SELECT projects.id FROM projects JOIN held ON held.target_id = projects.domain_id
    WHERE held.target_type = 'domain' AND held.inherited = 1)`;
