import { and, desc, eq, gt, gte, lte, or, type SQL, sql } from 'drizzle-orm';
import { serverActionEvents, serverActions } from '../../../db/schema/compute.ts';
import { runners } from '../../../db/schema/fleet.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, markerNotFound, type Page, pageOf, type Query, refuseUnknown } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { ownServer, serverNotFound } from './find-server.ts';
import { timeOf } from './list-query.ts';

export type ActionRow = typeof serverActions.$inferSelect;
export type EventRow = typeof serverActionEvents.$inferSelect & { host: string | null };

const serverRead = (ctx: ActorContext, id: string, version: Microversion) =>
  ctx.db.all<{ projectId: string }>(
    sql`SELECT project_id AS projectId FROM servers s WHERE ${ownServer(ctx, id, 's', version >= 21 ? 'too' : 'not')}`,
  );

/**
 * What was asked of a server, newest first; of a deleted one too, from 2.21. Paged and filtered by time from 2.58.
 * @throws ApiError 400 a time, limit or marker that is none; 404
 */
export async function listActions(
  ctx: ActorContext,
  id: string,
  input: { query: Query; version: Microversion },
): Promise<{ rows: ActionRow[]; page: Page | null }> {
  authorize(ctx, policy, 'os_compute_api:os-instance-actions:list');
  const { query, version } = input;
  const times = version >= 66 ? ['changes-since', 'changes-before'] : ['changes-since'];
  refuseUnknown(query, ['limit', 'marker', ...times], version, 58);
  const page = version >= 58 ? pageOf(query) : null;
  const conditions: (SQL | undefined)[] = [eq(serverActions.serverId, id)];
  if (version >= 58) conditions.push(...changed(query, version));
  if (page?.marker !== undefined) conditions.push(after(id, page.marker));
  const rows = ctx.db
    .select()
    .from(serverActions)
    .where(and(...conditions))
    .orderBy(desc(serverActions.startedAtMs), desc(serverActions.requestId));
  const marker = ctx.db.$count(
    serverActions,
    and(eq(serverActions.serverId, id), eq(serverActions.requestId, page?.marker ?? '')),
  );
  const [[server], listed, known] = await ctx.db.batch([
    serverRead(ctx, id, version),
    page ? rows.limit(page.limit) : rows,
    ctx.db.all<{ n: number }>(sql`SELECT ${marker} AS n`),
  ]);
  if (!server) throw serverNotFound(id);
  if (page?.marker !== undefined && known[0]?.n === 0) throw markerNotFound(page.marker);
  return { rows: listed, page };
}

function changed(query: Query, version: Microversion): SQL[] {
  const since = last(query, 'changes-since');
  const before = version >= 66 ? last(query, 'changes-before') : undefined;
  const from = since === undefined ? undefined : timeOf('changes-since', since);
  const until = before === undefined ? undefined : timeOf('changes-before', before);
  if (from !== undefined && until !== undefined && until < from) {
    throw badRequest('The value of changes-since must be less than or equal to changes-before.');
  }
  return [
    ...(from === undefined ? [] : [gte(serverActions.updatedAtMs, from)]),
    ...(until === undefined ? [] : [lte(serverActions.updatedAtMs, until)]),
  ];
}

/** Actions that come after the marker, newest first. */
function after(id: string, marker: string): SQL | undefined {
  const started = sql`(SELECT m.started_at_ms FROM server_actions m WHERE m.server_id = ${id} AND m.request_id = ${marker})`;
  return or(
    gt(started, serverActions.startedAtMs),
    and(eq(serverActions.startedAtMs, started), gt(sql`${marker}`, serverActions.requestId)),
  );
}

/** One action with its events. @throws ApiError 404 the server or the action */
export async function showAction(
  ctx: ActorContext,
  id: string,
  requestId: string,
  version: Microversion,
): Promise<{ action: ActionRow; events: EventRow[]; projectId: string }> {
  authorize(ctx, policy, 'os_compute_api:os-instance-actions:show');
  const ofServer = and(eq(serverActions.serverId, id), eq(serverActions.requestId, requestId));
  const [[server], [action], events] = await ctx.db.batch([
    serverRead(ctx, id, version),
    ctx.db.select().from(serverActions).where(ofServer),
    ctx.db
      .select({ event: serverActionEvents, host: runners.name })
      .from(serverActionEvents)
      .leftJoin(runners, eq(runners.id, serverActionEvents.runnerId))
      .where(and(eq(serverActionEvents.serverId, id), eq(serverActionEvents.requestId, requestId)))
      .orderBy(desc(serverActionEvents.startedAtMs)),
  ]);
  if (!server) throw serverNotFound(id);
  if (!action) throw notFound(`Action ${requestId} not found`);
  return { action, projectId: server.projectId, events: events.map(({ event, host }) => ({ ...event, host })) };
}
