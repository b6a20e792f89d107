import { eq } from 'drizzle-orm';
import { users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { missing, taken } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { UserRow } from './views.ts';

/** A user on whom the actor may do this. @throws ApiError 403, 404 */
export async function findUser(ctx: ActorContext, id: string, action: Action): Promise<UserRow> {
  const [user] = await ctx.db.select().from(users).where(eq(users.id, id));
  return requireUser(ctx, id, user, action);
}

/** The same for a row that was read with others. @throws ApiError 403, 404 */
export function requireUser(ctx: ActorContext, id: string, user: UserRow | undefined, action: Action): UserRow {
  authorize(ctx, action, user ? { userId: id, userDomainId: user.domainId } : {});
  if (!user) throw missing('user', id);
  return user;
}

export const nameTaken = (name: string, domainId: string) =>
  taken('user', `Duplicate entry found with name ${name} at domain ID ${domainId}`);

export const domainAsProject = (id: string) => badRequest(`User's default project ID cannot be a domain ID: ${id}`);
