import { type SQL, sql } from 'drizzle-orm';
import type { RunnerMessageOf } from '../../shared/protocol/messages.ts';
import type { Effect } from '../fleet/observers.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { sendingEnded } from './migrations/observe-move.ts';
import { snapshotAccepted, snapshotEnded } from './observe-snapshot.ts';
import type { ServerOperation } from './servers/ask-host.ts';

type Update = RunnerMessageOf<'operation-update'>;

/** What every observer of an operation's end needs. */
export interface EndedOperation {
  ctx: Context;
  runnerId: string;
  nowMs: number;
  done: boolean;
  /** The host's words for a failure. */
  why: string;
  /** A member of the operation, as SQL: null unless it is of this kind and still open. */
  its: (kind: ServerOperation, column: 'target_id' | 'request_id' | `args ->> '${string}'`) => SQL;
}

/** A server whose reboot failed is what its guest was last seen to be: gone down with a fault, off, or as before. */
const AS_SEEN = sql.raw(
  `vm_state = CASE WHEN power_state = 6 THEN 'error' WHEN power_state = 4 THEN 'stopped' ELSE vm_state END,`,
);

/** What the end of an operation on a server changes: the action that asked for it, and what its kind means for the server. */
export function serverOperationUpdated(ctx: Context, runnerId: string, update: Update): Effect {
  if (update.state === 'accepted') return { statements: snapshotAccepted(ctx, runnerId, update.op_id) };
  const open = (kind: SQL) =>
    sql`o.op_id = ${update.op_id} AND o.runner_id = ${runnerId} AND o.target_kind = 'server' AND ${kind} AND o.state IN ('queued', 'accepted')`;
  const ended: EndedOperation = {
    ctx,
    runnerId,
    nowMs: ctx.clock.nowMs(),
    done: update.state === 'done',
    why: update.fault?.message ?? 'The host could not do it.',
    its: (kind, column) =>
      sql`(SELECT ${sql.raw(`o.${column}`)} FROM operations o WHERE ${open(sql`o.kind = ${kind}`)})`,
  };
  const asked = (column: string) => sql`(SELECT ${sql.raw(`o.${column}`)} FROM operations o WHERE ${open(sql`1`)})`;
  const snapshot = snapshotEnded(ended);
  const sending = sendingEnded(ctx, runnerId, update);
  const touches = [snapshot.touches, sending.touches].filter((one) => one !== undefined);
  return {
    ...snapshot,
    statements: [
      ...sending.statements,
      ...actionEnded(ended, asked),
      ...rebootEnded(ended, update.op_id),
      ...snapshot.statements,
    ],
    ...(touches.length > 0
      ? {
          touches: sql.join(
            touches.map((one) => sql`(${one})`),
            sql` OR `,
          ),
        }
      : {}),
  };
}

/** The action of the request that asked for the operation. An image that the store does not have was not made, whatever its host says. */
function actionEnded({ ctx, nowMs, done, why, its }: EndedOperation, asked: (column: string) => SQL): Statement[] {
  const imageId = its('snapshot', `args ->> 'image_id'`);
  const fault = done
    ? sql`(SELECT 'The image did not come.' FROM images WHERE images.id = ${imageId} AND images.status <> 'active')`
    : sql`${why}`;
  const action = sql`server_id = ${asked('target_id')} AND request_id = ${asked('request_id')} AND finished_at_ms IS NULL`;
  return [
    ctx.db.run(sql`
      UPDATE server_action_events SET finished_at_ms = ${nowMs}, result = iif(${fault} IS NULL, 'Success', 'Error'), details = ${fault}
      WHERE ${action}`),
    ctx.db.run(sql`
      UPDATE server_actions SET finished_at_ms = ${nowMs}, updated_at_ms = ${nowMs}, message = iif(${fault} IS NULL, NULL, 'Error') WHERE ${action}`),
  ];
}

/** A failed reboot leaves the server as it is, as Nova does. Another reboot that is still under way keeps the task. */
function rebootEnded({ ctx, runnerId, nowMs, done, its }: EndedOperation, opId: string): Statement[] {
  const last = sql`NOT EXISTS (SELECT 1 FROM operations other WHERE other.target_kind = 'server' AND other.target_id = servers.id
    AND other.kind = 'reboot' AND other.op_id <> ${opId} AND other.state IN ('queued', 'accepted'))`;
  const state = done ? sql`vm_state = 'active', power_state = 1, fault = NULL,` : AS_SEEN;
  return [
    ctx.db.run(sql`
      UPDATE servers SET ${state} task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${nowMs}
      WHERE id = ${its('reboot', 'target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL
        AND task_state IN ('rebooting', 'rebooting_hard') AND ${last}`),
  ];
}
