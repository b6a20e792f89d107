import { type SQL, sql } from 'drizzle-orm';
import { stands } from '../groups/stands.ts';

/** The condition on `assignments` for what a user was granted, directly or as a member of a group. */
export const isOfUser = (userId: SQL | string): SQL => sql`(
  (assignments.actor_type = 'user' AND assignments.actor_id = ${userId})
  OR (assignments.actor_type = 'group' AND assignments.actor_id IN (
    SELECT group_members.group_id FROM group_members WHERE group_members.user_id = ${userId} AND ${stands})))`;

/** The condition on `roles` for one that a token can carry, itself or by what it implies. */
export const countsInTokens = sql`(roles.domain_id = ''
  OR EXISTS (SELECT 1 FROM implied_roles WHERE implied_roles.prior_role_id = roles.id))`;
