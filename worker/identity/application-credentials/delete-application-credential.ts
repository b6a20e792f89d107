import { eq } from 'drizzle-orm';
import { applicationCredentials } from '../../../db/schema/delegation.ts';
import type { ActorContext } from '../../http/context.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { requireUnrestricted } from './guards.ts';
import { findApplicationCredential } from './read.ts';

/** Deletes a credential, which ends the tokens had by it. @throws ApiError 403, 404 */
export async function deleteApplicationCredential(
  ctx: ActorContext,
  at: { userId: string; id: string },
): Promise<void> {
  const action = 'identity:delete_application_credential';
  const { row } = await findApplicationCredential(ctx, at, action);
  requireUnrestricted(ctx, 'application credentials');
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'application-credential', targetId: row.id, detail: { name: row.name } },
      statements: [ctx.db.delete(applicationCredentials).where(eq(applicationCredentials.id, row.id))],
    },
    [{ kind: 'application-credential', subject: row.id }],
  );
}
