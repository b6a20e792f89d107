import { sql } from 'drizzle-orm';
import { METERS, type Meter } from '../../../shared/meters.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, badRequest, conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { findResources } from '../gnocchi/find-resources.ts';
import { LIVE_MS_MAX } from '../limits.ts';
import { policy } from '../policy.ts';
import type { Watched } from './arrivals.ts';
import { mergeLive, type Source } from './merge-live.ts';
import { fromOf, type Positions } from './positions.ts';

/**
 * Points of resources as they come, as server-sent events: from now on, or from where a reader was.
 * @throws ApiError 400 what is asked for is not metered; 403; 404; 409 a resource is on no machine; 429 too many streams
 */
export async function openLive(
  ctx: ActorContext,
  asked: { ids: string[]; meters: Meter[] | null; after: Positions | null },
): Promise<ReadableStream<Uint8Array>> {
  authorize(ctx, policy, 'metering:live:show');
  const machines = await watchedOf(ctx, asked);
  const untilMs = Math.min(ctx.clock.nowMs() + LIVE_MS_MAX, ctx.actor.expiresAtMs);
  const project = ctx.actor.projectId ?? '';
  const links = ctx.env.RUNNER_LINK;
  const sources: Source[] = [];
  for (const [runnerId, watched] of machines) {
    const from = fromOf(asked.after, runnerId);
    const link = links.get(links.idFromName(runnerId));
    const id = ctx.ids.uuid();
    const lines = await link.live(runnerId, { id, project, watched, from, untilMs });
    if (lines === null) {
      await Promise.all(sources.map((source) => source.end()));
      throw new ApiError(429, 'There are too many streams of live figures already: close one first.');
    }
    sources.push({ runnerId, lines, end: () => link.endLive(id) });
  }
  return mergeLive(sources);
}

/** What is to be watched, by machine. */
async function watchedOf(
  ctx: ActorContext,
  { ids, meters }: { ids: string[]; meters: Meter[] | null },
): Promise<Map<string, Watched[]>> {
  const found = await findResources(ctx, { kind: null, ids, limit: ids.length });
  const machines = await machinesOf(ctx, ids);
  const watched = new Map<string, Watched[]>();
  for (const id of ids) {
    const resource = found.find((one) => one.id === id);
    if (!resource || resource.endedAtMs !== null) throw notFound(`Resource ${id} could not be found.`);
    const its = metersOf(resource.kind).filter((meter) => meters?.includes(meter) ?? true);
    if (its.length === 0) throw badRequest(`Invalid input for resource_id: nothing of this is measured of ${id}.`);
    const runnerId = machines.get(id);
    if (!runnerId) throw conflict(`Resource ${id} is on no machine now: nothing is measured of it.`);
    const one = { type: resource.kind, resource: id, meters: its };
    watched.set(runnerId, [...(watched.get(runnerId) ?? []), one]);
  }
  return watched;
}

const metersOf = (kind: string): Meter[] =>
  (Object.keys(METERS) as Meter[]).filter((meter) => METERS[meter].of === kind);

/** Where resources are measured now. */
async function machinesOf(ctx: ActorContext, ids: string[]): Promise<Map<string, string | null>> {
  const these = sql`(SELECT value FROM json_each(${JSON.stringify(ids)}))`;
  const rows = await ctx.db.all<{ id: string; runnerId: string | null }>(sql`
    SELECT id, runner_id AS runnerId FROM servers WHERE id IN ${these}
    UNION ALL SELECT id, runner_id FROM ports WHERE id IN ${these}
    UNION ALL SELECT f.id, coalesce(p.runner_id, f.holder_id) FROM floating_ips f LEFT JOIN ports p ON p.id = f.port_id WHERE f.id IN ${these}
    UNION ALL SELECT id, id FROM runners WHERE id IN ${these}`);
  return new Map(rows.map(({ id, runnerId }) => [id, runnerId]));
}
