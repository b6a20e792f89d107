import { type SQL, sql } from 'drizzle-orm';
import { dropDesired } from '../../fleet/desired.ts';
import type { Context } from '../../http/context.ts';
import { dropServerPorts, type PortChange } from '../../network/server-ports.ts';
import { TASK_DEADLINES_MS } from './tasks.ts';

/**
 * What has a shelved server's host let go of it, for a batch that touches that host. What the host was told is kept, so that
 * another can be told the same.
 * @param serverId - or an expression, null where there is nothing to do; the last statement may make it so
 */
export function offloadServer(ctx: Context, serverId: SQL): PortChange {
  const { db } = ctx;
  const now = ctx.clock.nowMs();
  const ports = dropServerPorts(ctx, serverId);
  return {
    touches: ports.touches,
    statements: [
      ...ports.statements,
      db.run(sql`
        UPDATE servers SET shelved_spec = (SELECT spec FROM desired WHERE kind = 'server' AND desired.id = servers.id AND deleted = 0)
        WHERE id = ${serverId}`),
      dropDesired(db, 'server', sql`desired.id = ${serverId}`),
      db.run(sql`
        UPDATE servers SET task_state = 'shelving_offloading', task_deadline_ms = ${now + TASK_DEADLINES_MS.shelving_offloading}, updated_at_ms = ${now}
        WHERE id = ${serverId}`),
    ],
  };
}
