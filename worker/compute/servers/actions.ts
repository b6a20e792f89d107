import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';

/** Nova's names of what is asked of a server, and of the one event that the asked machine does for it. */
export const EVENTS = {
  create: 'compute__do_build_and_run_instance',
  delete: 'compute_terminate_instance',
  start: 'compute_start_instance',
  stop: 'compute_stop_instance',
  reboot: 'compute_reboot_instance',
  pause: 'compute_pause_instance',
  unpause: 'compute_unpause_instance',
  suspend: 'compute_suspend_instance',
  resume: 'compute_resume_instance',
  rescue: 'compute_rescue_instance',
  unrescue: 'compute_unrescue_instance',
  rebuild: 'compute_rebuild_instance',
  shelve: 'compute_shelve_instance',
  shelveOffload: 'compute_shelve_offload_instance',
  unshelve: 'compute_unshelve_instance',
  createImage: 'compute_snapshot_instance',
  createBackup: 'compute_backup_instance',
  trigger_crash_dump: 'compute_trigger_crash_dump',
  attach_interface: 'compute_attach_interface',
  detach_interface: 'compute_detach_interface',
  resize: 'compute_resize_instance',
  migrate: 'compute_resize_instance',
  confirmResize: 'compute_confirm_resize',
  revertResize: 'compute_revert_resize',
  'live-migration': 'compute_live_migration',
  evacuate: 'compute_rebuild_instance',
} as const;
export type ActionName = keyof typeof EVENTS;
export const ACTIONS = Object.keys(EVENTS) as ActionName[];
/** Those that end when their server is seen to be as it was wished; the others end by the report of an operation. */
export const STATE_ACTIONS = ACTIONS.filter(
  (action) => !['reboot', 'createImage', 'createBackup', 'shelve', 'trigger_crash_dump'].includes(action),
);

/**
 * The record that an action was asked for and is under way, with its event on the server's host. It must run while the
 * server's row is as the asker found it.
 * @param of.when - a condition without which nothing is recorded
 */
export function startAction(ctx: ActorContext, of: { serverId: string; action: ActionName; when?: SQL }): Statement[] {
  const { serverId, action, when = sql`1` } = of;
  const now = ctx.clock.nowMs();
  const { userId, projectId } = ctx.actor;
  return [
    ctx.db.run(sql`
      INSERT INTO server_actions (server_id, request_id, action, user_id, project_id, started_at_ms, updated_at_ms)
      SELECT ${serverId}, ${ctx.requestId}, ${action}, ${userId}, ${projectId ?? ''}, ${now}, ${now} WHERE ${when}`),
    ctx.db.run(sql`
      INSERT INTO server_action_events (server_id, request_id, event, started_at_ms, runner_id)
      SELECT ${serverId}, ${ctx.requestId}, ${EVENTS[action]}, ${now}, (SELECT runner_id FROM servers WHERE id = ${serverId}) WHERE ${when}`),
  ];
}

/** The record of an action that is over as it is written; `failed` says why it did nothing. */
export function finishedAction(
  ctx: ActorContext,
  of: { serverId: string; action: string; event?: string; failed?: string },
): Statement[] {
  const { serverId, action, event, failed } = of;
  const now = ctx.clock.nowMs();
  const { userId, projectId } = ctx.actor;
  const message = failed === undefined ? null : 'Error';
  const row = ctx.db.run(sql`
    INSERT INTO server_actions (server_id, request_id, action, user_id, project_id, started_at_ms, updated_at_ms, finished_at_ms, message)
    VALUES (${serverId}, ${ctx.requestId}, ${action}, ${userId}, ${projectId ?? ''}, ${now}, ${now}, ${now}, ${message})`);
  if (event === undefined) return [row];
  const result = failed === undefined ? 'Success' : 'Error';
  return [
    row,
    ctx.db.run(sql`
      INSERT INTO server_action_events (server_id, request_id, event, started_at_ms, finished_at_ms, result, details)
      VALUES (${serverId}, ${ctx.requestId}, ${event}, ${now}, ${now}, ${result}, ${failed ?? null})`),
  ];
}

/**
 * Ends a server's open actions of the names given, and their events.
 * @param of.when - a condition; these must run before the write that makes it untrue
 * @param of.error - an expression or text that says what went wrong; absent: they went well
 */
export function finishActions(
  db: Database,
  of: { serverWhere: SQL; actions: readonly ActionName[]; when: SQL; nowMs: number; error?: SQL | string },
): Statement[] {
  const { serverWhere, actions, when, nowMs, error } = of;
  const listOf = (values: readonly string[]) =>
    sql.join(
      values.map((value) => sql`${value}`),
      sql`, `,
    );
  const events = listOf(actions.map((action) => EVENTS[action]));
  const result = error === undefined ? 'Success' : 'Error';
  return [
    db.run(sql`
      UPDATE server_action_events SET finished_at_ms = ${nowMs}, result = ${result}, details = ${error ?? null}
      WHERE ${serverWhere} AND finished_at_ms IS NULL AND event IN (${events}) AND ${when}`),
    db.run(sql`
      UPDATE server_actions SET finished_at_ms = ${nowMs}, updated_at_ms = ${nowMs}, message = ${error === undefined ? null : 'Error'}
      WHERE ${serverWhere} AND finished_at_ms IS NULL AND action IN (${listOf(actions)}) AND ${when}`),
  ];
}
