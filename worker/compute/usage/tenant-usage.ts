import { type SQL, sql } from 'drizzle-orm';
import type { FlavorSnapshot } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { markerNotFound, type Page } from '../http/paging.ts';
import { policy } from '../policy.ts';

const SECOND_MS = 1000;
const HOUR_MS = 3_600_000;

/** A stretch of time. */
export interface Window {
  startMs: number;
  stopMs: number;
}

/** What one server used within a window. */
export interface ServerUsage {
  id: string;
  name: string;
  projectId: string;
  flavor: Pick<FlavorSnapshot, 'name' | 'vcpus' | 'ramMib' | 'diskGib' | 'ephemeralGib'>;
  vmState: string;
  startedAtMs: number;
  endedAtMs: number | null;
  /** Within the window. */
  hours: number;
  /** From its start to its end or now, in seconds. */
  uptimeS: number;
}

/** A time as clients write it, without a zone. @throws ApiError 400 */
function timeOf(text: string | undefined, nowMs: number): number {
  if (text === undefined || text === '') return nowMs;
  const parts = /^(\d{4}-\d\d-\d\d)(?:T| )(\d\d:\d\d:\d\d(?:\.\d{1,6})?)$/.exec(text);
  const ms = parts ? Date.parse(`${parts[1]}T${parts[2]}Z`) : Number.NaN;
  if (Number.isNaN(ms)) throw badRequest(`Datetime is in invalid format: ${text}`);
  return ms;
}

/** The window that a query names; its end is now where it names none. @throws ApiError 400 */
export function windowOf(query: { start: string | undefined; end: string | undefined }, nowMs: number): Window {
  // Nova reads its clock twice where neither is said, so that the window is not empty.
  const window = { startMs: timeOf(query.start, nowMs - 1), stopMs: timeOf(query.end, nowMs) };
  if (window.startMs >= window.stopMs) {
    throw badRequest('Invalid start time. The start time cannot occur after the end time.');
  }
  return window;
}

/** What all projects used. @throws ApiError 403 for anyone but an admin, 400 no such marker */
export async function listTenantUsages(ctx: ActorContext, window: Window, page: Page | null): Promise<ServerUsage[]> {
  authorize(ctx, policy, 'os_compute_api:os-simple-tenant-usage:list');
  return readUsages(ctx, window, sql`1`, page);
}

/** What one project used. @throws ApiError 403 another project's, 400 no such marker */
export async function showTenantUsage(
  ctx: ActorContext,
  projectId: string,
  window: Window,
  page: Page | null,
): Promise<ServerUsage[]> {
  authorize(ctx, policy, 'os_compute_api:os-simple-tenant-usage:show', { projectId });
  return readUsages(ctx, window, sql`s.project_id = ${projectId}`, page);
}

interface UsageRow {
  id: string;
  name: string;
  projectId: string;
  flavor: string;
  vmState: string;
  launchedAtMs: number;
  terminatedAtMs: number | null;
}

/** Servers that ran within the window, in order of creation; from 2.40 in pages. */
async function readUsages(ctx: ActorContext, window: Window, where: SQL, page: Page | null): Promise<ServerUsage[]> {
  const ran = sql`s.region = ${ctx.region} AND ${where} AND s.launched_at_ms < ${window.stopMs}
    AND (s.terminated_at_ms IS NULL OR s.terminated_at_ms > ${window.startMs})`;
  const marker = page?.marker;
  // One of another project is none: it would tell that there is such a server.
  const numberOf = sql`(SELECT s.number FROM servers s WHERE s.id = ${marker ?? ''} AND s.region = ${ctx.region} AND ${where})`;
  const [rows, known] = await ctx.db.batch([
    ctx.db.all<UsageRow>(sql`
      SELECT s.id, s.name, s.project_id AS projectId, s.flavor, s.vm_state AS vmState, s.launched_at_ms AS launchedAtMs,
        s.terminated_at_ms AS terminatedAtMs
      FROM servers s WHERE ${ran} AND ${marker === undefined ? sql`1` : sql`s.number > ${numberOf}`}
      ORDER BY s.number LIMIT ${page ? page.limit : -1}`),
    ctx.db.all<{ number: number | null }>(sql`SELECT ${numberOf} AS number`),
  ]);
  if (marker !== undefined && known[0]?.number === null) throw markerNotFound(marker);
  return rows.map((row) => usageOf(row, window, ctx.clock.nowMs()));
}

function usageOf(row: UsageRow, window: Window, nowMs: number): ServerUsage {
  const { launchedAtMs: startedAtMs, terminatedAtMs: endedAtMs, flavor, ...rest } = row;
  const from = Math.max(startedAtMs, window.startMs);
  const until = Math.min(endedAtMs ?? nowMs, window.stopMs);
  return {
    ...rest,
    flavor: JSON.parse(flavor) as ServerUsage['flavor'],
    startedAtMs,
    endedAtMs,
    hours: Math.max(0, until - from) / HOUR_MS,
    uptimeS: Math.floor(((endedAtMs ?? nowMs) - startedAtMs) / SECOND_MS),
  };
}
