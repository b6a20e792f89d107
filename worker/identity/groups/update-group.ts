import { eq } from 'drizzle-orm';
import { groups } from '../../../db/schema/identity.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { missing } from '../http/names.ts';
import { findGroup, nameTaken } from './find-group.ts';
import type { GroupToUpdate } from './group-body.ts';
import type { GroupRow } from './views.ts';

/** @throws ApiError 400, 403, 404, 409 */
export async function updateGroup(
  ctx: ActorContext,
  { id, change, place }: { id: string } & GroupToUpdate,
): Promise<GroupRow> {
  const group = await findGroup(ctx, id, 'identity:update_group');
  if (place.id !== undefined && place.id !== id) throw badRequest('Cannot change ID');
  if (place.domainId !== undefined && place.domainId !== group.domainId) throw badRequest('Cannot change Domain ID');
  const update = ctx.db
    .update(groups)
    .set({ ...change, extra: merged(group.extra, change.extra) })
    .where(eq(groups.id, id))
    .returning();
  const [rows] = await commit(ctx, {
    audit: {
      action: 'identity:update_group',
      targetType: 'group',
      targetId: id,
      detail: { changed: Object.keys(change) },
    },
    statements: [update],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? nameTaken(change.name ?? group.name, group.domainId) : error;
  });
  const updated = (rows as GroupRow[])[0];
  if (!updated) throw missing('group', id);
  return updated;
}
