import { type SQL, sql } from 'drizzle-orm';
import type { Effect } from '../fleet/observers.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { dropSnapshots } from '../image/new-snapshot.ts';
import { rotateBackups } from '../image/rotate-backups.ts';
import type { EndedOperation } from './observe-operation.ts';
import { offloadServer } from './servers/offload-server.ts';
import { TASK_DEADLINES_MS } from './servers/tasks.ts';

/** What a snapshot's task is called once its host is at it. */
const UPLOADING = sql.raw(
  `CASE task_state WHEN 'image_snapshot_pending' THEN 'image_uploading' WHEN 'shelving' THEN 'shelving_image_uploading' ELSE task_state END`,
);
const SNAPSHOT_TASKS = sql.raw(
  `task_state IN ('image_snapshot_pending', 'image_snapshot', 'image_pending_upload', 'image_uploading', 'image_backup')`,
);

const SHELVING = sql.raw(`task_state IN ('shelving', 'shelving_image_pending_upload', 'shelving_image_uploading')`);

/** A host has begun with a snapshot. */
export function snapshotAccepted(ctx: Context, runnerId: string, opId: string): Statement[] {
  const now = ctx.clock.nowMs();
  return [
    ctx.db.run(sql`
      UPDATE servers SET task_state = ${UPLOADING}, task_deadline_ms = ${now + TASK_DEADLINES_MS.image_uploading}, updated_at_ms = ${now}
      WHERE id = (SELECT target_id FROM operations WHERE op_id = ${opId} AND runner_id = ${runnerId} AND kind = 'snapshot' AND state = 'queued')
        AND (${SNAPSHOT_TASKS} OR ${SHELVING})`),
  ];
}

/** A snapshot is there, or will not come: its server is free either way, and a failed one leaves no image. */
export function snapshotEnded(ended: EndedOperation): Effect {
  const { ctx, runnerId, nowMs, done, its } = ended;
  const imageId = its('snapshot', `args ->> 'image_id'`);
  const free = ctx.db.run(sql`
    UPDATE servers SET task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${nowMs}
    WHERE id = ${its('snapshot', 'target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${SNAPSHOT_TASKS}`);
  if (done) {
    const own = shelved(ended, imageId);
    const rotated = rotateBackups(ctx, imageId, its('snapshot', `args ->> 'rotation'`));
    return { statements: [free, ...rotated, ...own.statements, notShelved(ended)], touches: own.touches };
  }
  return { statements: [free, notShelved(ended), ...dropSnapshots(ctx, imageId)] };
}

/** A server whose disk is in the image store, whatever its host says of that, gives its host up. */
function shelved({ ctx, runnerId, its }: EndedOperation, imageId: SQL): Required<Effect> {
  const server = sql`id = ${its('snapshot', 'target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${SHELVING}
    AND EXISTS (SELECT 1 FROM images WHERE images.id = ${imageId} AND images.status = 'active')`;
  const keep = ctx.db.run(sql`UPDATE servers SET vm_state = 'shelved', shelved_image_id = ${imageId} WHERE ${server}`);
  const off = offloadServer(ctx, sql`(SELECT id FROM servers WHERE ${server})`);
  return {
    touches: sql`(EXISTS (SELECT 1 FROM servers WHERE ${server}) AND (runners.id = ${runnerId} OR ${off.touches}))`,
    statements: [keep, ...off.statements],
  };
}

/** One whose disk could not be copied is where it was, but off. */
function notShelved({ ctx, runnerId, nowMs, its }: EndedOperation): Statement {
  return ctx.db.run(sql`
    UPDATE servers SET vm_state = 'stopped', power_state = 4, task_state = NULL, task_deadline_ms = NULL, updated_at_ms = ${nowMs}
    WHERE id = ${its('snapshot', 'target_id')} AND runner_id = ${runnerId} AND deleted_at_ms IS NULL AND ${SHELVING}`);
}

/** Takes back the snapshots that were asked of servers and are not there. @param serverIds - as SQL for `IN (...)` */
export const dropSnapshotsOf = (ctx: Context, serverIds: SQL): Statement[] =>
  dropSnapshots(
    ctx,
    sql`SELECT o.args ->> 'image_id' FROM operations o WHERE o.target_kind = 'server' AND o.kind = 'snapshot'
      AND o.state IN ('queued', 'accepted') AND o.target_id IN (${serverIds})`,
  );
