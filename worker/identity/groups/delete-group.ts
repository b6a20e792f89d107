import { and, eq } from 'drizzle-orm';
import { assignments, groups } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { findGroup } from './find-group.ts';
import { losersByGroup } from './losers.ts';

/** Deletes a group with all that was granted to it, which ends its members' tokens. @throws ApiError 403, 404 */
export async function deleteGroup(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  const group = await findGroup(ctx, id, 'identity:delete_group');
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_group', targetType: 'group', targetId: id, detail: { name: group.name } },
      statements: [
        db.delete(assignments).where(and(eq(assignments.actorType, 'group'), eq(assignments.actorId, id))),
        db.delete(groups).where(eq(groups.id, id)),
      ],
    },
    [],
    losersByGroup(id),
  );
}
