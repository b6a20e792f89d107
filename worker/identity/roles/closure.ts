import { type SQL, sql } from 'drizzle-orm';

/** A subquery: the ids of the roles that a query of ids finds, and of all that they imply. */
export const closureOf = (ids: SQL): SQL => sql`(WITH RECURSIVE closure(id) AS (
    ${ids}
    UNION SELECT implied_role_id FROM implied_roles JOIN closure ON closure.id = implied_roles.prior_role_id
  ) SELECT closure.id FROM closure)`;
