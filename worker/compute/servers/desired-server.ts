import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { Statement } from '../../http/commit.ts';

/** The condition on `runners` that names a server's host. */
export const hostOf = (serverId: string): SQL =>
  sql`runners.id = (SELECT runner_id FROM servers WHERE id = ${serverId})`;

/**
 * Changes one member of what a server's host is told of it, without reading it. The batch's `touches` must cover the host.
 * @param change.value - an SQL expression; JSON where it is not a plain value
 */
export function patchDesiredServer(
  db: Database,
  serverId: string,
  change: { path: `$.${string}`; value: SQL; when?: SQL },
): Statement {
  return db.run(sql`
    UPDATE desired SET spec = json_set(spec, ${change.path}, ${change.value}),
      generation = (SELECT runners.generation FROM runners WHERE runners.id = desired.runner_id)
    WHERE kind = 'server' AND id = ${serverId} AND deleted = 0 AND ${change.when ?? sql`1`}`);
}
