import type { ActorContext } from '../../http/context.ts';
import { commitRevoking } from './revoke.ts';
import type { Token } from './token.ts';

/** Ends one token; those that it was exchanged for live on, as in Keystone. */
export async function revokeToken(ctx: ActorContext, token: Token): Promise<void> {
  const [auditId] = token.auditIds;
  await commitRevoking(
    ctx,
    {
      audit: {
        action: 'identity:revoke_token',
        targetType: 'token',
        targetId: auditId,
        detail: { userId: token.user.id },
      },
      statements: [],
    },
    [{ kind: 'audit', subject: auditId }],
  );
}
