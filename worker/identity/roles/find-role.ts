import { eq } from 'drizzle-orm';
import { roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing, taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { RoleRow } from './views.ts';

/** A role on which the actor may do this; a domain's own roles have rules of their own. @throws ApiError 403, 404 */
export async function findRole(ctx: ActorContext, id: string, what: 'get' | 'update' | 'delete'): Promise<RoleRow> {
  const [role] = await ctx.db.select().from(roles).where(eq(roles.id, id));
  const action = role?.domainId ? (`identity:${what}_domain_role` as const) : (`identity:${what}_role` as const);
  authorize(ctx, action, role ? { roleName: role.name, roleDomainId: role.domainId } : {});
  if (!role) throw missing('role', id);
  return role;
}

export const nameTaken = (name: string, domainId: string) =>
  taken('role', `Duplicate entry found with name ${name}${domainId === '' ? '' : ` at domain ID ${domainId}`}`);
