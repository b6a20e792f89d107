import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { dropSnapshots } from '../image/new-snapshot.ts';
import { rotateBackups } from '../image/rotate-backups.ts';
import type { EndedOperation } from './observe-operation.ts';

/** What a snapshot's task is called once its host is at it. */
const UPLOADING = sql.raw(`CASE task_state WHEN 'image_snapshot_pending' THEN 'image_uploading' ELSE task_state END`);
const SNAPSHOT_TASKS = sql.raw(
  `task_state IN ('image_snapshot_pending', 'image_snapshot', 'image_pending_upload', 'image_uploading', 'image_backup')`,
);

/** A host has begun with a snapshot. */
export function snapshotAccepted(ctx: Context, runnerId: string, opId: string): Statement[] {
  return [
    ctx.db.run(sql`
      UPDATE servers SET task_state = ${UPLOADING}, updated_at_ms = ${ctx.clock.nowMs()}
      WHERE id = (SELECT target_id FROM operations WHERE op_id = ${opId} AND runner_id = ${runnerId} AND kind = 'snapshot' AND state = 'queued')
        AND ${SNAPSHOT_TASKS}`),
  ];
}

/** A snapshot is there, or will not come: its server is free either way, and a failed one leaves no image. */
export function snapshotEnded(ended: EndedOperation): Statement[] {
  const { ctx, runnerId, nowMs, done, its } = ended;
  const imageId = its('snapshot', `args ->> 'image_id'`);
  const free = ctx.db.run(sql`
    UPDATE servers SET task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${nowMs}
    WHERE id = ${its('snapshot', 'target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${SNAPSHOT_TASKS}`);
  return [
    free,
    ...(done ? rotateBackups(ctx, imageId, its('snapshot', `args ->> 'rotation'`)) : dropSnapshots(ctx, imageId)),
  ];
}

/** Takes back the snapshots that were asked of servers and are not there. @param serverIds - as SQL for `IN (...)` */
export const dropSnapshotsOf = (ctx: Context, serverIds: SQL): Statement[] =>
  dropSnapshots(
    ctx,
    sql`SELECT o.args ->> 'image_id' FROM operations o WHERE o.target_kind = 'server' AND o.kind = 'snapshot'
      AND o.state IN ('queued', 'accepted') AND o.target_id IN (${serverIds})`,
  );
