import { and, eq, type SQL, sql } from 'drizzle-orm';
import { assignments } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing } from '../http/names.ts';
import { assignmentSubject, type Revocation } from '../tokens/revocation.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { type Grant, type GrantTarget, grantAction, grantsOf, noGrant, readGrant } from './grant.ts';

/**
 * Takes a role from a user or group, and ends the tokens of the user (or the group's members) on that target; where it
 * was inherited, all of their tokens.
 * @throws ApiError 403, 404
 */
export async function revokeGrant(ctx: ActorContext, grant: Grant): Promise<void> {
  const { to, roleId, target } = grant;
  const action = grantAction('revoke', grant);
  const facts = await readGrant(ctx, grant, action);
  if (!facts.role) throw missing('role', roleId);
  if (!facts.exists) throw noGrant(grant);
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: to.type, targetId: to.id, detail: { roleId, target } },
      statements: [ctx.db.delete(assignments).where(and(grantsOf(to, target), eq(assignments.roleId, roleId)))],
    },
    to.type === 'user' ? [ofUser(to.id, target)] : [],
    to.type === 'group' ? ofMembers(to.id, target) : undefined,
  );
}

const ofUser = (userId: string, target: GrantTarget): Revocation =>
  target.inherited
    ? { kind: 'user', subject: userId }
    : { kind: 'assignment', subject: assignmentSubject(userId, target.type, target.id) };

/** The same for all members of a group. */
const ofMembers = (groupId: string, target: GrantTarget): SQL =>
  target.inherited
    ? sql`SELECT 'user' AS kind, user_id AS subject FROM group_members WHERE group_id = ${groupId}`
    : sql`SELECT 'assignment' AS kind, user_id || ${assignmentSubject('', target.type, target.id)} AS subject
        FROM group_members WHERE group_id = ${groupId}`;
