import { eq } from 'drizzle-orm';
import { intranetRules } from '../../../db/schema/intranet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from './policy.ts';
import { showRule } from './rules.ts';
import { dropException, hostsOf } from './wishes.ts';

/** Ends a rule on every host. @throws ApiError 404 */
export async function deleteRule(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'intranet:rules:delete');
  const { content, reason } = await showRule(ctx, id);
  await commit(ctx, {
    audit: {
      action: 'intranet:rules:delete',
      targetType: 'intranet-rule',
      targetId: id,
      detail: { content, reason },
    },
    touches: hostsOf(ctx.region),
    statements: [dropException(ctx, id), ctx.db.delete(intranetRules).where(eq(intranetRules.id, id))],
  });
}
