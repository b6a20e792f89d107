import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';

/** What was or is metered. Times in milliseconds. */
export interface MeteredResource {
  kind: string;
  id: string;
  projectId: string | null;
  name: string;
  itemType: string;
  state: string;
  startedAtMs: number;
  endedAtMs: number | null;
  revisionStartMs: number;
}

export interface ResourcesAsked {
  kind: string | null;
  ids?: string[];
  /** Only those after this id. */
  after?: string;
  /** Only those at or after this id. */
  from?: string;
  limit: number;
}

/** What a project's members see: its own. An admin sees all, and the machines. */
const visible = (ctx: ActorContext, column: SQL): SQL =>
  isAdmin(ctx) ? sql`1` : sql`${column} = ${ctx.actor.projectId ?? ''}`;

/** Resources of the region that the actor sees, in the order of their ids. */
export async function findResources(ctx: ActorContext, asked: ResourcesAsked): Promise<MeteredResource[]> {
  const { kind, ids, after, from, limit } = asked;
  const fits = (id: SQL) =>
    sql.join(
      [
        sql`1`,
        ...(ids ? [sql`${id} IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`] : []),
        ...(after === undefined ? [] : [sql`${id} > ${after}`]),
        ...(from === undefined ? [] : [sql`${id} >= ${from}`]),
      ],
      sql` AND `,
    );
  return ctx.db.all<MeteredResource>(sql`
    SELECT * FROM (
      SELECT s.resource_type AS kind, s.resource_id AS id, s.project_id AS projectId, s.resource_name AS name, s.item_type AS itemType, s.state,
        (SELECT min(f.start_ms) FROM usage_spans f WHERE f.resource_type = s.resource_type AND f.resource_id = s.resource_id) AS startedAtMs,
        s.end_ms AS endedAtMs, s.start_ms AS revisionStartMs
      FROM usage_spans s
      WHERE s.region = ${ctx.region} AND ${visible(ctx, sql`s.project_id`)} AND ${kind === null ? sql`1` : sql`s.resource_type = ${kind}`} AND ${fits(sql`s.resource_id`)}
        AND s.id = (SELECT l.id FROM usage_spans l WHERE l.resource_type = s.resource_type AND l.resource_id = s.resource_id ORDER BY l.start_ms DESC, l.id DESC LIMIT 1)
      UNION ALL
      SELECT 'port', p.id, p.project_id, p.name, 'default', 'active', p.created_at_ms, NULL, p.created_at_ms FROM ports p
      WHERE p.region = ${ctx.region} AND p.runner_id IS NOT NULL AND ${visible(ctx, sql`p.project_id`)} AND ${kind === null || kind === 'port' ? sql`1` : sql`0`} AND ${fits(sql`p.id`)}
      UNION ALL
      SELECT 'runner', r.id, NULL, r.name, 'default', r.state, r.created_at_ms, NULL, r.created_at_ms FROM runners r
      WHERE r.region = ${ctx.region} AND ${isAdmin(ctx) ? sql`1` : sql`0`} AND ${kind === null || kind === 'runner' ? sql`1` : sql`0`} AND ${fits(sql`r.id`)}
    ) ORDER BY id LIMIT ${limit}`);
}

/** What a resource was, one span after the other. A port and a machine have been but one thing. */
export async function findHistory(ctx: ActorContext, resource: MeteredResource): Promise<MeteredResource[]> {
  const rows = await ctx.db.all<Omit<MeteredResource, 'startedAtMs' | 'endedAtMs'> & { endMs: number | null }>(sql`
    SELECT resource_type AS kind, resource_id AS id, project_id AS projectId, resource_name AS name, item_type AS itemType, state,
      start_ms AS revisionStartMs, end_ms AS endMs
    FROM usage_spans WHERE resource_type = ${resource.kind} AND resource_id = ${resource.id} ORDER BY start_ms, id`);
  if (rows.length === 0) return [resource];
  const { startedAtMs } = resource;
  // When it ended is told by its last revision alone: the others ended in the next.
  return rows.map(({ endMs, ...row }) => ({ ...row, startedAtMs, endedAtMs: endMs }));
}
