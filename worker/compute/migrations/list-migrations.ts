import { type SQL, sql } from 'drizzle-orm';
import { z } from 'zod';
import { serverMigrations } from '../../../db/schema/server-migrations.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, type Page, pageOf, type Query, refuseUnknown } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { ownServer, serverNotFound } from '../servers/find-server.ts';
import { timeOf } from '../servers/list-query.ts';

export type MigrationRow = typeof serverMigrations.$inferSelect & {
  /** What the source last said of how far it is; JSON. */
  progress: Record<string, number> | null;
};

const PROGRESS = sql<string | null>`(SELECT o.result FROM operations o WHERE o.op_id = server_migrations.op_id)`;
/** Live migrations that go on, in Nova's words. */
const IN_PROGRESS = ['accepted', 'queued', 'preparing', 'running', 'post-migrating'];

function select(ctx: ActorContext, where: SQL, order: SQL, limit: number | null) {
  const rows = ctx.db
    .select({ row: serverMigrations, progress: PROGRESS })
    .from(serverMigrations)
    .where(where)
    .orderBy(order);
  return limit === null ? rows : rows.limit(limit);
}
const rowsOf = (found: { row: typeof serverMigrations.$inferSelect; progress: string | null }[]): MigrationRow[] =>
  found.map(({ row, progress }) => ({ ...row, progress: progress === null ? null : JSON.parse(progress) }));

/** What a list may be filtered by, from which version on, and the column. */
const FILTERS: Readonly<Record<string, { since: Microversion; of: (value: string) => SQL }>> = {
  host: { since: 1, of: (value) => sql`(source_host = ${value} OR target_host = ${value})` },
  status: { since: 1, of: (value) => sql`status = ${value}` },
  source_compute: { since: 1, of: (value) => sql`source_host = ${value}` },
  migration_type: { since: 1, of: (value) => sql`type = ${value}` },
  instance_uuid: { since: 1, of: (value) => sql`server_id = ${value}` },
  hidden: { since: 1, of: () => sql`1` },
  user_id: { since: 80, of: (value) => sql`user_id = ${value}` },
  project_id: { since: 80, of: (value) => sql`project_id = ${value}` },
};
const uuid = z.uuid();

/**
 * The region's migrations; paged, newest first, from 2.59.
 * @throws ApiError 400 a filter, limit or marker that is none; 403
 */
export async function listMigrations(
  ctx: ActorContext,
  input: { query: Query; version: Microversion },
): Promise<{ rows: MigrationRow[]; page: Page | null }> {
  authorize(ctx, policy, 'os_compute_api:os-migrations:index');
  const { query, version } = input;
  const known = Object.keys(FILTERS).filter((name) => (FILTERS[name]?.since ?? 0) <= version);
  const paging =
    version >= 66 ? ['limit', 'marker', 'changes-since', 'changes-before'] : ['limit', 'marker', 'changes-since'];
  refuseUnknown(query, [...known, ...paging], version, 59);
  const conditions: SQL[] = [sql`region = ${ctx.region}`];
  for (const name of known) {
    const value = last(query, name);
    if (value === undefined) continue;
    if (name === 'instance_uuid' && version >= 59 && !uuid.safeParse(value).success) {
      throw badRequest(`Invalid input for query parameters instance_uuid. Value: ${value}. '${value}' is not a 'uuid'`);
    }
    conditions.push((FILTERS[name] as (typeof FILTERS)[string]).of(value));
  }
  if (version < 59) {
    const found = await select(ctx, sql.join(conditions, sql` AND `), sql`number`, null);
    return { rows: rowsOf(found), page: null };
  }
  const page = pageOf(query);
  conditions.push(...changed(query, version));
  if (page.marker !== undefined) conditions.push(await after(ctx, page.marker));
  const found = await select(ctx, sql.join(conditions, sql` AND `), sql`created_at_ms DESC, number DESC`, page.limit);
  return { rows: rowsOf(found), page };
}

function changed(query: Query, version: Microversion): SQL[] {
  const time = (name: string) => {
    const text = last(query, name);
    return text === undefined ? undefined : timeOf(name, text);
  };
  const since = time('changes-since');
  const before = version >= 66 ? time('changes-before') : undefined;
  if (since !== undefined && before !== undefined && before < since) {
    throw badRequest('The value of changes-since must be less than or equal to changes-before.');
  }
  return [
    ...(since === undefined ? [] : [sql`updated_at_ms >= ${since}`]),
    ...(before === undefined ? [] : [sql`updated_at_ms <= ${before}`]),
  ];
}

async function after(ctx: ActorContext, marker: string): Promise<SQL> {
  const [row] = await ctx.db.select().from(serverMigrations).where(sql`uuid = ${marker} AND region = ${ctx.region}`);
  if (!row) throw badRequest(`Marker ${marker} could not be found.`);
  return sql`(created_at_ms < ${row.createdAtMs} OR (created_at_ms = ${row.createdAtMs} AND number < ${row.number}))`;
}

/** A server's live migrations that go on; one by its number where one is given. @throws ApiError 403, 404 */
export async function serverMigrationsOf(ctx: ActorContext, id: string): Promise<MigrationRow[]> {
  authorize(ctx, policy, 'os_compute_api:servers:migrations:index');
  return inProgress(ctx, id, sql`1`);
}

/** @throws ApiError 403, 404 no such server, or no such live migration of it that goes on */
export async function serverMigration(ctx: ActorContext, id: string, number: string): Promise<MigrationRow> {
  authorize(ctx, policy, 'os_compute_api:servers:migrations:show');
  const [row] = await inProgress(ctx, id, sql`CAST(number AS TEXT) = ${number}`);
  if (!row) throw notFound(`In-progress live migration ${number} is not found for server ${id}.`);
  return row;
}

async function inProgress(ctx: ActorContext, id: string, which: SQL): Promise<MigrationRow[]> {
  const words = sql.join(
    IN_PROGRESS.map((word) => sql`${word}`),
    sql`, `,
  );
  const where = sql`server_id = ${id} AND region = ${ctx.region} AND type = 'live-migration' AND status IN (${words}) AND ${which}`;
  const [servers, found] = await ctx.db.batch([
    ctx.db.all<{ id: string }>(sql`SELECT s.id FROM servers s WHERE ${ownServer(ctx, id)}`),
    select(ctx, where, sql`number`, null),
  ]);
  if (servers.length === 0) throw serverNotFound(id);
  return rowsOf(found);
}
