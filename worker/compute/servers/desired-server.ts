import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { Statement } from '../../http/commit.ts';

/** The condition on `runners` that names a server's host. */
export const hostOf = (serverId: string): SQL =>
  sql`runners.id = (SELECT runner_id FROM servers WHERE id = ${serverId})`;

/** The condition on `runners` that names every machine that has, awaits or keeps something of a server. */
export const everyHostOf = (serverId: string): SQL =>
  sql`runners.id IN (SELECT held.runner_id FROM desired held WHERE held.kind = 'server' AND held.id = ${serverId})`;

/**
 * Changes one member of what a server's host is told of it, without reading it; another that makes ready for it, or keeps an
 * old copy, is told nothing. The batch's `touches` must cover the host.
 * @param change.value - an SQL expression; JSON where it is not a plain value
 */
export function patchDesiredServer(
  db: Database,
  serverId: string,
  change: { path: `$.${string}`; value: SQL; when?: SQL },
): Statement {
  return patchDesiredMembers(db, serverId, { [change.path]: change.value }, change.when);
}

/** As `patchDesiredServer`, for several members at once; every value sees the spec as it was. */
export function patchDesiredMembers(
  db: Database,
  serverId: string,
  set: Readonly<Record<`$.${string}`, SQL>>,
  when: SQL = sql`1`,
): Statement {
  const pairs = sql.join(
    Object.entries(set).map(([path, value]) => sql`${path}, ${value}`),
    sql`, `,
  );
  return db.run(sql`
    UPDATE desired SET spec = json_set(spec, ${pairs}),
      generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
    WHERE kind = 'server' AND id = ${serverId} AND deleted = 0 AND ${when}
      AND runner_id = (SELECT s.runner_id FROM servers s WHERE s.id = ${serverId})`);
}
