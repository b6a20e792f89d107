import { type SQL, sql } from 'drizzle-orm';
import { type ImportTaskInput, imageTasks } from '../../../db/schema/image.ts';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { TASK_KEEP_MS } from '../limits.ts';
import { STORE_ID } from './stores.ts';
import type { TaskRow } from './tasks.ts';

/** What Glance writes into an image's properties while it imports. @param taskId - null once the import has ended */
export function importMarks(taskId: string | null, failed: boolean): SQL {
  const importing = taskId === null ? '' : STORE_ID;
  const marks = sql`json_set(images.properties, '$.os_glance_importing_to_stores', ${importing},
    '$.os_glance_failed_import', ${failed ? STORE_ID : ''})`;
  return taskId === null
    ? sql`json_remove(${marks}, '$.os_glance_import_task')`
    : sql`json_set(${marks}, '$.os_glance_import_task', ${taskId})`;
}

/** Writes down a task of the actor's. */
export function insertTask(
  ctx: ActorContext,
  task: { id: string; input: ImportTaskInput; status: 'pending' | 'success' | 'failure'; message?: string },
): Statement {
  return ctx.db
    .insert(imageTasks)
    .values(newTask(ctx, { ...task, type: 'api_image_import', imageId: task.input.image_id }));
}

/** The row of a new task. */
export function newTask(
  ctx: ActorContext,
  task: Pick<TaskRow, 'id' | 'type' | 'imageId' | 'input' | 'status'> & { message?: string },
): TaskRow {
  const nowMs = ctx.clock.nowMs();
  const { status, message = '' } = task;
  return {
    ...{ ...task, message, region: ctx.region, attempts: 0 },
    projectId: ctx.actor.projectId,
    userId: ctx.actor.userId,
    byAdmin: isAdmin(ctx),
    requestId: ctx.requestId,
    result: status === 'success' ? { image_id: task.imageId } : null,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
    expiresAtMs: status === 'pending' ? null : nowMs + TASK_KEEP_MS,
  };
}

/** Ends a task that runs. @param held - a condition that must hold, too */
export function endTask(ctx: Context, taskId: string, failure: string | null, held: SQL = sql`1`): Statement {
  const nowMs = ctx.clock.nowMs();
  return ctx.db
    .update(imageTasks)
    .set({
      status: failure === null ? 'success' : 'failure',
      message: failure ?? '',
      result: failure === null ? sql`json_object('image_id', image_tasks.image_id)` : null,
      updatedAtMs: nowMs,
      expiresAtMs: nowMs + TASK_KEEP_MS,
    })
    .where(sql`image_tasks.id = ${taskId} AND image_tasks.status IN ('pending', 'processing') AND ${held}`);
}

/** Ends whatever tasks an image still has. */
export function endOpenTasks(ctx: Context, imageId: string, failure: string): Statement[] {
  const nowMs = ctx.clock.nowMs();
  return [
    ctx.db
      .update(imageTasks)
      .set({ status: 'failure', message: failure, updatedAtMs: nowMs, expiresAtMs: nowMs + TASK_KEEP_MS })
      .where(sql`image_tasks.image_id = ${imageId} AND image_tasks.status IN ('pending', 'processing')`),
  ];
}
