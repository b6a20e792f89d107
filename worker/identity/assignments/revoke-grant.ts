import { and, eq } from 'drizzle-orm';
import { assignments } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing } from '../http/names.ts';
import { assignmentSubject, type Revocation } from '../tokens/revocation.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { type Grant, grantsOf, noGrant, readGrant } from './grant.ts';

/**
 * Takes a role from a user, and ends the user's tokens on that target; where it was inherited, all of the user's tokens.
 * @throws ApiError 403, 404
 */
export async function revokeGrant(ctx: ActorContext, grant: Grant): Promise<void> {
  const { userId, roleId, target } = grant;
  const system = target.type === 'system';
  const action = system ? 'identity:revoke_system_grant_for_user' : 'identity:revoke_grant';
  const facts = await readGrant(ctx, grant, action);
  if (!facts.role) throw missing('role', roleId);
  if (!facts.exists) throw noGrant(grant);
  const revoked: Revocation = target.inherited
    ? { kind: 'user', subject: userId }
    : { kind: 'assignment', subject: assignmentSubject(userId, target.type, target.id) };
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'user', targetId: userId, detail: { roleId, target } },
      statements: [ctx.db.delete(assignments).where(and(grantsOf(userId, target), eq(assignments.roleId, roleId)))],
    },
    [revoked],
  );
}
