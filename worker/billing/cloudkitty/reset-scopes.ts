import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { pythonTime } from '../../http/times.ts';
import type { ResetBody } from './bodies.ts';
import { nothingFound } from './faults.ts';
import { listScopes } from './list-scopes.ts';
import { policy } from './policy.ts';
import { PAGE_MAX } from './query.ts';
import { rateAgain } from './rate-again.ts';

/**
 * Sets scopes back to a moment: their usage from there on is rated again.
 * @throws ApiError 400 no scopes, or both ways of naming them; no moment, or one that is not charged yet; 404 none of these
 */
export async function resetScopes(ctx: ActorContext, { all_scopes, scope_id, ...body }: ResetBody): Promise<void> {
  authorize(ctx, policy, 'rating:scopes:reset');
  if (all_scopes === (scope_id !== undefined)) throw badRequest('Either all_scopes or a scope_id should be specified.');
  const toMs = body.last_processed_timestamp ?? body.state;
  if (toMs === undefined) throw badRequest("Variable 'last_processed_timestamp' cannot be empty/None.");
  const { scope_key = [], fetcher = [], collector = [] } = body;
  const filter = { scope_id: scope_id ?? [], scope_key, fetcher, collector };
  const scopes = await listScopes(ctx, filter, { offset: 0, limit: PAGE_MAX });
  if (scopes.length === 0) throw nothingFound();
  const behind = scopes.find(({ chargedThroughMs }) => toMs > chargedThroughMs);
  if (behind)
    throw badRequest(
      `Scope ${behind.projectId} is charged through ${pythonTime(behind.chargedThroughMs)}: it can be set back, and not ahead, since then usage would never be charged.`,
    );
  await rateAgain(ctx, scopes, toMs, { action: 'rating:scopes:reset', detail: { to: pythonTime(toMs) } });
}
