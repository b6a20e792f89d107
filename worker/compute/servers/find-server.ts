import { type SQL, sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { type ServerRow, selectServers, serverRows } from './server-rows.ts';

/** Ids are text that comes from a URL; none that Nova makes is longer. */
const ID_CHARS_MAX = 255;

export const serverNotFound = (id: string) => notFound(`Instance ${id.slice(0, ID_CHARS_MAX)} could not be found.`);

/**
 * The server of an id as far as the actor may know of it: those of other projects are not there for anyone but an admin.
 * `table` is what the condition calls `servers`.
 */
export function ownServer(
  ctx: ActorContext,
  id: string,
  table: 's' | 'servers' = 's',
  deleted: 'too' | 'not' = 'not',
): SQL {
  const t = sql.raw(table);
  const own = isAdmin(ctx) ? sql`1` : sql`${t}.project_id = ${ctx.actor.projectId ?? ''}`;
  const alive = deleted === 'too' ? sql`1` : sql`${t}.deleted_at_ms IS NULL`;
  return sql`${t}.id = ${id} AND ${t}.region = ${ctx.region} AND ${own} AND ${alive}`;
}

/** Reads one server, for an answer that shows it. @throws ApiError 404 */
export async function findServer(
  ctx: ActorContext,
  id: string,
  options: { userData?: boolean; deleted?: 'too' | 'not' } = {},
): Promise<ServerRow> {
  const { userData = false, deleted = 'not' } = options;
  const where = ownServer(ctx, id, 's', deleted);
  const [row] = serverRows(await selectServers(ctx.db, { where, userData, serverGroups: true }));
  if (!row) throw serverNotFound(id);
  return row;
}
