import { eq } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { missing, requireMutable } from '../http/names.ts';
import { findRole, nameTaken } from './find-role.ts';
import type { RoleToUpdate } from './role-body.ts';
import type { RoleRow } from './views.ts';

/** @throws ApiError 400, 403, 404, 409 */
export async function updateRole(
  ctx: ActorContext,
  { id, change, place }: { id: string } & RoleToUpdate,
): Promise<RoleRow> {
  const role = await findRole(ctx, id, 'update');
  if (place.id !== undefined && place.id !== id) throw badRequest('Cannot change ID');
  if (place.domainId !== undefined && (place.domainId ?? '') !== role.domainId) {
    throw badRequest('Cannot change Domain ID');
  }
  requireMutable('role', role, change);
  const update = ctx.db
    .update(roles)
    .set({ ...change, options: merged(role.options, change.options), extra: merged(role.extra, change.extra) })
    .where(eq(roles.id, id))
    .returning();
  const [rows] = await commit(ctx, {
    audit: {
      action: 'identity:update_role',
      targetType: 'role',
      targetId: id,
      detail: { changed: Object.keys(change) },
    },
    statements: [update],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? nameTaken(change.name ?? role.name, role.domainId) : error;
  });
  const updated = (rows as RoleRow[])[0];
  if (!updated) throw missing('role', id);
  return updated;
}
