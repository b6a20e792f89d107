import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { pythonTime } from '../../http/times.ts';
import { ceilHour, floorHour, HOUR_MS } from '../rating/calendar.ts';
import type { ReprocessBody } from './bodies.ts';
import { listScopes, type Scope } from './list-scopes.ts';
import { policy } from './policy.ts';
import { PAGE_MAX } from './query.ts';
import { rateAgain } from './rate-again.ts';

const ALL = 'ALL';

export interface Reprocess {
  scopeId: string;
  reason: string;
  startMs: number;
  endMs: number;
  /** Whether usage of its time still waits to be rated. */
  pending: 0 | 1;
}

/** What was asked to be rated again, by when it was asked; of some projects, or (none named) of all. */
export async function listReprocesses(
  ctx: ActorContext,
  of: { scope_ids: readonly string[]; order: 'asc' | 'desc'; offset: number; limit: number },
): Promise<Reprocess[]> {
  authorize(ctx, policy, 'rating:reprocesses:list');
  const [start, end] = [sql`json_extract(audit.detail, '$.start_ms')`, sql`json_extract(audit.detail, '$.end_ms')`];
  const order = sql.raw(of.order === 'asc' ? 'ASC' : 'DESC');
  const ids = JSON.stringify(of.scope_ids);
  return await ctx.db.all<Reprocess>(sql`
    SELECT scope.value AS "scopeId", json_extract(audit.detail, '$.reason') AS reason, ${start} AS "startMs", ${end} AS "endMs",
      EXISTS (SELECT 1 FROM billing_subscriptions waiting WHERE waiting.region = audit.region AND waiting.project_id = scope.value
        AND waiting.dirty_from_ms < ${end}) AS pending
    FROM audit, json_each(audit.detail, '$.scope_ids') scope
    WHERE audit.target_type = 'billing-reprocess' AND audit.region = ${ctx.region}
      AND (${of.scope_ids.length} = 0 OR scope.value IN (SELECT value FROM json_each(${ids})))
    ORDER BY audit.at_ms ${order}, audit.id ${order}, scope.value LIMIT ${of.limit} OFFSET ${of.offset}`);
}

export const reprocessView = ({ scopeId, reason, startMs, endMs, pending }: Reprocess) => ({
  scope_id: scopeId,
  reason,
  start_reprocess_time: pythonTime(startMs),
  end_reprocess_time: pythonTime(endMs),
  current_reprocess_time: pending ? '' : pythonTime(endMs),
});

/**
 * Has usage of a time rated again. What comes after it in the same month is, too: lines are of months, and nothing of them is
 * booked but what differs.
 * @throws ApiError 400 bounds that are no full hours, not charged yet, or of a time that is asked for already; no such scopes
 */
export async function createReprocess(ctx: ActorContext, of: ReprocessBody): Promise<void> {
  authorize(ctx, policy, 'rating:reprocesses:create');
  const { start_reprocess_time: startMs, end_reprocess_time: endMs, scope_ids: ids, reason } = of;
  const time = `[start=${pythonTime(startMs)}, end=${pythonTime(endMs)}]`;
  refuseBounds(startMs, endMs);
  if (ids.includes(ALL) && ids.length > 1)
    throw badRequest("Cannot use 'ALL' with scope IDs: name the scopes, or say ALL and nothing else.");
  const all = ids[0] === ALL;
  const scopes = await listScopes(ctx, { scope_id: all ? [] : ids }, { offset: 0, limit: PAGE_MAX });
  const missing = all ? [] : ids.filter((id) => !scopes.some(({ projectId }) => projectId === id));
  if (missing.length > 0) throw badRequest(`Scopes [${missing.join(', ')}] to reprocess ${time} do not exist.`);
  refuseUncharged(scopes, endMs);
  await refuseOverlap(ctx, all ? [] : ids, startMs, endMs);
  const detail = { start_ms: startMs, end_ms: endMs, reason };
  await rateAgain(ctx, scopes, startMs, { action: 'rating:reprocesses:create', detail });
}

function refuseBounds(startMs: number, endMs: number): void {
  if (endMs < startMs) throw badRequest('End reprocessing timestamp cannot be less than start reprocessing timestamp.');
  if (startMs % HOUR_MS === 0 && endMs % HOUR_MS === 0 && startMs < endMs) return;
  const [from, to] = [floorHour(startMs), Math.max(ceilHour(endMs), floorHour(startMs) + HOUR_MS)];
  throw badRequest(
    `The provided reprocess time window does not comply with the period, which is an hour. A valid time window near the provided one is [${pythonTime(from)}, ${pythonTime(to)}].`,
  );
}

function refuseUncharged(scopes: Scope[], endMs: number): void {
  const behind = scopes.find(({ chargedThroughMs }) => endMs > chargedThroughMs);
  if (!behind) return;
  const through = pythonTime(behind.chargedThroughMs);
  throw badRequest(
    `Cannot execute a reprocessing [end=${pythonTime(endMs)}] for scope [${behind.projectId}] ending after the last possible timestamp [${through}].`,
  );
}

async function refuseOverlap(ctx: ActorContext, ids: readonly string[], startMs: number, endMs: number): Promise<void> {
  const asked = await listReprocesses(ctx, { scope_ids: ids, order: 'desc', offset: 0, limit: PAGE_MAX });
  const over = asked.find((one) => one.pending && one.startMs < endMs && startMs < one.endMs);
  if (!over) return;
  throw badRequest(
    `Cannot schedule a reprocessing for scope [${over.scopeId}], because it already has a schedule for a similar time range [${pythonTime(over.startMs)}, ${pythonTime(over.endMs)}].`,
  );
}
