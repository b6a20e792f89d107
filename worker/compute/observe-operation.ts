import { type SQL, sql } from 'drizzle-orm';
import type { RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Context } from '../http/context.ts';
import { EVENTS } from './servers/actions.ts';

/** A server whose reboot failed is what its guest was last seen to be: gone down with a fault, off, or as before. */
const AS_SEEN = sql.raw(
  `vm_state = CASE WHEN power_state = 6 THEN 'error' WHEN power_state = 4 THEN 'stopped' ELSE vm_state END,`,
);

/**
 * What the end of an operation on a server (reboot) changes. A failed reboot leaves the server as it is and says so in
 * the action, as Nova does.
 */
export function serverOperationUpdated(
  ctx: Context,
  runnerId: string,
  update: RunnerMessageOf<'operation-update'>,
): Effect {
  if (update.state === 'accepted') return { statements: [] };
  const now = ctx.clock.nowMs();
  const done = update.state === 'done';
  const why = done ? null : (update.fault?.message ?? 'The host could not reboot the server.');
  const operation = sql`o.op_id = ${update.op_id} AND o.runner_id = ${runnerId} AND o.kind = 'reboot' AND o.state IN ('queued', 'accepted')`;
  const its = (column: 'target_id' | 'request_id'): SQL =>
    sql`(SELECT ${sql.raw(`o.${column}`)} FROM operations o WHERE ${operation})`;
  const action = sql`server_id = ${its('target_id')} AND request_id = ${its('request_id')} AND finished_at_ms IS NULL`;
  // Another reboot that is still under way keeps the task.
  const last = sql`NOT EXISTS (SELECT 1 FROM operations other WHERE other.target_kind = 'server' AND other.target_id = servers.id
    AND other.kind = 'reboot' AND other.op_id <> ${update.op_id} AND other.state IN ('queued', 'accepted'))`;
  const server = sql`id = ${its('target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL
    AND task_state IN ('rebooting', 'rebooting_hard') AND ${last}`;
  const state = done ? sql`vm_state = 'active', power_state = 1, fault = NULL,` : AS_SEEN;
  return {
    statements: [
      ctx.db.run(sql`
        UPDATE server_action_events SET finished_at_ms = ${now}, result = ${done ? 'Success' : 'Error'}, details = ${why}
        WHERE ${action} AND event = ${EVENTS.reboot}`),
      ctx.db.run(sql`
        UPDATE server_actions SET finished_at_ms = ${now}, updated_at_ms = ${now}, message = ${done ? null : 'Error'} WHERE ${action}`),
      ctx.db.run(sql`
        UPDATE servers SET ${state} task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${now} WHERE ${server}`),
    ],
  };
}
