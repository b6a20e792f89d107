import { eq, sql } from 'drizzle-orm';
import { assignments, roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { requireMutable } from '../http/names.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { findRole } from './find-role.ts';

/** Deletes a role wherever it was granted, with application credentials made there, and ends the tokens that carry it. @throws ApiError 403, 404 */
export async function deleteRole(ctx: ActorContext, id: string): Promise<void> {
  const role = await findRole(ctx, id, 'delete');
  requireMutable('role', role);
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_role', targetType: 'role', targetId: id, detail: { name: role.name } },
      statements: [
        ctx.db.run(sql`DELETE FROM application_credentials WHERE (user_id, project_id) IN (
          SELECT actor_id, target_id FROM assignments
          WHERE role_id = ${id} AND actor_type = 'user' AND target_type = 'project')`),
        ctx.db.delete(assignments).where(eq(assignments.roleId, id)),
        ctx.db.delete(roles).where(eq(roles.id, id)),
      ],
    },
    [{ kind: 'role', subject: id }],
    // A domain's own role is not in the tokens, only what came with it.
    role.domainId === ''
      ? undefined
      : sql`SELECT 'role' AS kind, implied_role_id AS subject FROM implied_roles WHERE prior_role_id = ${id}`,
  );
}
