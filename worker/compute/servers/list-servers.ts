import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize, isAdmin } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { markerNotFound, type Page, pageOf, type Query } from '../http/paging.ts';
import { policy } from '../policy.ts';
import { deletionCondition, filterConditions, statusCondition } from './filters.ts';
import { filtersOf, type SortBy, sortOf } from './list-query.ts';
import { searchServers } from './search-servers.ts';
import { type BriefRow, type ServerRow, selectBrief, selectServers, serverRows } from './server-rows.ts';

export interface Listed<Row> {
  rows: Row[];
  page: Page;
}
interface Asked {
  query: Query;
  version: Microversion;
}
/** What a list reads, in the words of its select. */
interface Selection {
  where: SQL;
  order: SQL;
  limit: number;
}

/**
 * A page of servers by id and name, in one batch.
 * @throws ApiError 400 a filter, key, limit or marker that is none; 403 other projects' servers for anyone but an admin
 */
export const listServers = (ctx: ActorContext, asked: Asked): Promise<Listed<BriefRow>> =>
  listPage(
    ctx,
    asked,
    'index',
    (selection) => selectBrief(ctx.db, selection),
    (rows) => rows as BriefRow[],
  );

/** A page of servers in full, in one batch. @throws ApiError as `listServers` */
export const listServerDetails = (ctx: ActorContext, asked: Asked): Promise<Listed<ServerRow>> => {
  const userData = isAdmin(ctx) && asked.version >= 3;
  return listPage(ctx, asked, 'detail', (selection) => selectServers(ctx.db, { ...selection, userData }), serverRows);
};

async function listPage<Row>(
  ctx: ActorContext,
  { query, version }: Asked,
  verb: 'index' | 'detail',
  select: (selection: Selection) => PromiseLike<unknown> & Statement,
  rowsOf: (result: unknown) => Row[],
): Promise<Listed<Row>> {
  authorize(ctx, policy, `os_compute_api:servers:${verb}`);
  const admin = isAdmin(ctx);
  const filters = filtersOf(query, version, admin);
  const page = pageOf(query);
  const sort = sortOf(query, version, admin);
  const scope = scopeOf(ctx, filters, verb);
  const statuses = filters.get('status');
  const ofStatus = statuses ? statusCondition(ctx, statuses, version) : sql`1`;
  if (ofStatus === null || page.limit === 0) return { rows: [], page };
  const ofFilters = filterConditions(filters);
  const conditions = [...scope, ofStatus, ...deletionCondition(filters)];
  for (const condition of ofFilters) if ('sql' in condition) conditions.push(condition.sql);
  const residues = ofFilters.flatMap((condition) => ('residue' in condition ? [condition.residue] : []));
  const order = sql.raw(sort.map(({ expression, direction }) => `${expression} ${direction}`).join(', '));
  const { limit, marker } = page;
  const where = (after: string | undefined) => sql.join([...conditions, ...afterMarker(after, sort)], sql` AND `);
  const known = ctx.db.all(
    sql`SELECT 1 FROM servers s WHERE s.id = ${marker ?? ''} AND ${sql.join(scope, sql` AND `)}`,
  );
  if (residues.length > 0) {
    if (marker !== undefined && (await known).length === 0) throw markerNotFound(marker);
    const ids = await searchServers(ctx.db, residues, { where, order, limit, marker });
    const found = sql`s.id IN (SELECT value FROM json_each(${JSON.stringify(ids)}))`;
    return { rows: rowsOf(await select({ where: found, order, limit })), page };
  }
  const rows = select({ where: where(marker), order, limit });
  if (marker === undefined) return { rows: rowsOf(await rows), page };
  const [found, listed] = await ctx.db.batch([known, rows]);
  if (found.length === 0) throw markerNotFound(marker);
  return { rows: rowsOf(listed), page };
}

/** Whose servers are listed: the project's, or everyone's for an admin who asks for all. */
function scopeOf(ctx: ActorContext, filters: Map<string, string[]>, verb: 'index' | 'detail'): SQL[] {
  const region = sql`s.region = ${ctx.region}`;
  const word = filters.get('all_tenants')?.[0];
  if (word !== undefined && isAllTenants(word)) {
    authorize(ctx, policy, `os_compute_api:servers:${verb}:get_all_tenants`);
    return [region];
  }
  filters.delete('tenant_id');
  filters.delete('project_id');
  const { projectId, userId } = ctx.actor;
  return [region, projectId === null ? sql`s.user_id = ${userId}` : sql`s.project_id = ${projectId}`];
}

function isAllTenants(word: string): boolean {
  if (word === '' || /^(1|t|true|on|y|yes)$/i.test(word)) return true;
  if (/^(0|f|false|off|n|no)$/i.test(word)) return false;
  throw badRequest(`Invalid input received: Unrecognized value '${word}' for all_tenants`);
}

/** The condition that a server comes after the marker in the order asked for. */
function afterMarker(marker: string | undefined, sort: readonly SortBy[]): SQL[] {
  if (marker === undefined) return [];
  const ofMarker = (expression: string) => {
    const inner = sql.raw(expression.replaceAll(/\bs\./g, 'm.').replaceAll(/\bh\b/g, 'mh'));
    return sql`(SELECT ${inner} FROM servers m WHERE m.id = ${marker})`;
  };
  const alternatives = sort.map(({ expression, direction }, index) => {
    const same = sort.slice(0, index).map((one) => sql`${sql.raw(one.expression)} = ${ofMarker(one.expression)}`);
    const beyond = sql`${sql.raw(expression)} ${sql.raw(direction === 'ASC' ? '>' : '<')} ${ofMarker(expression)}`;
    return sql`(${sql.join([...same, beyond], sql` AND `)})`;
  });
  return [sql`(${sql.join(alternatives, sql` OR `)})`];
}
