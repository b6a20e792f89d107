import { eq } from 'drizzle-orm';
import { intranetPrefixes } from '../../../db/schema/intranet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from './policy.ts';
import { showPrefix } from './prefixes.ts';
import { hostsOf, putFilter } from './wishes.ts';

/** Opens a range to guests again. @throws ApiError 404 */
export async function deletePrefix(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, 'intranet:prefixes:delete');
  const { prefix, reason } = await showPrefix(ctx, id);
  const touches = hostsOf(ctx.region);
  await commit(ctx, {
    audit: {
      action: 'intranet:prefixes:delete',
      targetType: 'intranet-prefix',
      targetId: id,
      detail: { prefix, reason },
    },
    touches,
    statements: [ctx.db.delete(intranetPrefixes).where(eq(intranetPrefixes.id, id)), putFilter(ctx, touches)],
  });
}
