import { and, eq } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import { assignments, users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { findUser } from './find-user.ts';

/** Deletes a user with all that was granted to the user. @throws ApiError 403, 404 */
export async function deleteUser(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  const user = await findUser(ctx, id, 'identity:delete_user');
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_user', targetType: 'user', targetId: id, detail: { name: user.name } },
      statements: [
        db.delete(assignments).where(and(eq(assignments.actorType, 'user'), eq(assignments.actorId, id))),
        db.delete(credentials).where(eq(credentials.userId, id)),
        db.delete(users).where(eq(users.id, id)),
      ],
    },
    [{ kind: 'user', subject: id }],
  );
}
