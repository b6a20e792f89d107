import { eq, sql } from 'drizzle-orm';
import { identityProviders } from '../../../../db/schema/federation.ts';
import { AssertionFailed, assertThat } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { commitRevoking } from '../../tokens/revoke.ts';
import { forgetUsers } from '../forget-users.ts';
import { missing } from '../names.ts';

/** Deletes an identity provider with its protocols, the users that only it knew, and their tokens. @throws ApiError 403, 404 */
export async function deleteProvider(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, 'identity:delete_identity_provider');
  const { db } = ctx;
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_identity_provider', targetType: 'identity_provider', targetId: id },
      statements: [
        assertThat(db, 'is-there', sql`EXISTS (SELECT 1 FROM identity_providers WHERE id = ${id})`),
        ...forgetUsers(db, { idpId: id }),
        db.delete(identityProviders).where(eq(identityProviders.id, id)),
      ],
    },
    [{ kind: 'federation', subject: id }],
  ).catch((error: unknown) => {
    throw error instanceof AssertionFailed ? missing('identity_provider', id) : error;
  });
}
