import { eq } from 'drizzle-orm';
import { groups } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing, taken } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { GroupRow } from './views.ts';

/** A group on which the actor may do this. @throws ApiError 403, 404 */
export async function findGroup(ctx: ActorContext, id: string, action: Action): Promise<GroupRow> {
  const [group] = await ctx.db.select().from(groups).where(eq(groups.id, id));
  authorize(ctx, action, group ? { groupDomainId: group.domainId } : {});
  if (!group) throw missing('group', id);
  return group;
}

export const nameTaken = (name: string, domainId: string) =>
  taken('group', `Duplicate entry found with name ${name} at domain ID ${domainId}`);
