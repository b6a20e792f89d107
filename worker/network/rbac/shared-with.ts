import { type SQL, sql } from 'drizzle-orm';
import type { rbacPolicies } from '../../../db/schema/rbac.ts';
import type { ActorContext } from '../../http/context.ts';
import { jsonColumn } from '../api/json-column.ts';

export type PolicyRow = typeof rbacPolicies.$inferSelect;
export type ObjectType = PolicyRow['objectType'];
export type PolicyAction = PolicyRow['action'];

/** All projects, as a policy's target. */
export const EVERYONE = '*';

/**
 * Holds where a policy lets a project use a thing as one that is shared.
 * @param id - the thing's id, as SQL
 * @param projectId - as SQL; null is let by what everyone may use alone
 */
export const sharedWith = (type: ObjectType, id: SQL, projectId: SQL): SQL =>
  granted(type, id, projectId, sql`= 'access_as_shared'`);

/** Holds where a policy lets a project see a network, to have ports on it or to have it as a router's gateway. */
export const networkGranted = (id: SQL, projectId: SQL): SQL => granted('network', id, projectId, sql`IS NOT NULL`);

const granted = (type: ObjectType, id: SQL, projectId: SQL, action: SQL): SQL =>
  sql`EXISTS (SELECT 1 FROM rbac_policies granted WHERE granted.object_id = ${id} AND granted.object_type = ${type}
    AND granted.action ${action} AND (granted.target_project = ${EVERYONE} OR granted.target_project = ${projectId}))`;

/** Whether a thing is shared with the actor's project: what its attribute `shared` shows. For the columns of a select. */
export const sharedWithMe = (ctx: ActorContext, type: ObjectType, id: SQL) =>
  sql`${sharedWith(type, id, sql`${ctx.actor.projectId}`)}`.mapWith(Boolean);

/** The targets of the policies that share a thing. For the columns of a select. */
export const targetsOf = (id: SQL) =>
  jsonColumn<string[]>(
    sql`(SELECT json_group_array(p.target_project) FROM rbac_policies p WHERE p.object_id = ${id} AND p.action = 'access_as_shared')`,
  );
