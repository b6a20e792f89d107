import { sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { dropSnapshotsOf } from './observe-snapshot.ts';
import { HARMLESS_TASKS, TASK_UNDONE } from './servers/tasks.ts';

/** What a task that ran out of time did not do. */
const UNDONE = sql.raw(
  `CASE s.task_state ${Object.entries(TASK_UNDONE)
    .map(([task, undone]) => `WHEN '${task}' THEN '${undone}'`)
    .join(' ')} END`,
);
const HARMLESS = sql.raw(`s.task_state IN (${HARMLESS_TASKS.map((task) => `'${task}'`).join(', ')})`);
const HOST = sql.raw(`coalesce('host ' || (SELECT r.name FROM runners r WHERE r.id = s.runner_id), 'no host')`);
const SEEN = sql.raw(
  `(SELECT CASE WHEN r.connected THEN 'is connected' ELSE 'is not connected' END FROM runners r WHERE r.id = s.runner_id)`,
);

/**
 * Statements that end every task of the region's servers whose deadline has passed: in ERROR, with a fault that names what
 * did not happen and the host that did not do it. A task that leaves the guest alone (a snapshot) ends without. What the host was told stays: should it yet report that it is done, the
 * server is what it should have become.
 */
export function expireTasks(ctx: Context): Statement[] {
  const now = ctx.clock.nowMs();
  const due = sql`s.task_deadline_ms IS NOT NULL AND s.task_deadline_ms < ${now} AND s.region = ${ctx.region} AND s.deleted_at_ms IS NULL`;
  const fault = sql`'The server ' || ${UNDONE} || ' in time: ' || ${HOST} || coalesce(', which ' || ${SEEN} || ',', '') || ' did not report it.'`;
  const ofDue = sql`server_id IN (SELECT s.id FROM servers s WHERE ${due}) AND finished_at_ms IS NULL`;
  return [
    ...dropSnapshotsOf(ctx, sql`SELECT s.id FROM servers s WHERE ${due}`),
    ctx.db.run(sql`
      UPDATE server_action_events SET finished_at_ms = ${now}, result = 'Error',
        details = (SELECT ${fault} FROM servers s WHERE s.id = server_action_events.server_id)
      WHERE ${ofDue}`),
    ctx.db.run(
      sql`UPDATE server_actions SET finished_at_ms = ${now}, updated_at_ms = ${now}, message = 'Error' WHERE ${ofDue}`,
    ),
    ctx.db.run(sql`
      UPDATE servers AS s SET fault = json_object('code', 500, 'message', ${fault}, 'createdAtMs', ${now}),
        vm_state = 'error', task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${now}
      WHERE ${due} AND NOT ${HARMLESS}`),
    ctx.db.run(
      sql`UPDATE servers AS s SET task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${now} WHERE ${due} AND ${HARMLESS}`,
    ),
  ];
}
