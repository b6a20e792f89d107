import { eq } from 'drizzle-orm';
import { intranetPrefixes } from '../../../db/schema/intranet.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from './policy.ts';
import { showPrefix } from './prefixes.ts';
import type { PrefixRow } from './views.ts';

/** Changes what is said of a prefix; another range is another prefix. @throws ApiError 404 */
export async function updatePrefix(
  ctx: ActorContext,
  id: string,
  patch: { description?: string | undefined; reason?: string | undefined },
): Promise<PrefixRow> {
  authorize(ctx, policy, 'intranet:prefixes:update');
  const row = await showPrefix(ctx, id);
  const { description = row.description, reason = row.reason } = patch;
  const change = { description, reason, updatedAtMs: ctx.clock.nowMs() };
  await commit(ctx, {
    audit: { action: 'intranet:prefixes:update', targetType: 'intranet-prefix', targetId: id, detail: { ...patch } },
    statements: [ctx.db.update(intranetPrefixes).set(change).where(eq(intranetPrefixes.id, id))],
  });
  return { ...row, ...change };
}
