import { eq, sql } from 'drizzle-orm';
import { type ImportTaskInput, images, imageTasks } from '../../../db/schema/image.ts';
import { assertThat, commitAll, runBatch } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import { claimUpload, type Upload } from '../claim-upload.ts';
import { againIfChanged, UNCHANGED } from '../find-image.ts';
import { IMPORT_ATTEMPTS_MAX } from '../limits.ts';
import type { ImageRow } from '../views.ts';
import type { Viewer } from '../visible.ts';
import { endTask, importMarks } from './task-statements.ts';
import type { TaskRow } from './tasks.ts';

/** A download under way. */
export interface Attempt {
  upload: Upload;
  /** As the request named it. */
  method: ImportTaskInput['import_req']['method'];
  /** Who asked for it, and so may read what it is taken from. */
  asker: Viewer['actor'];
}

/**
 * Claims a task's image for a download, unless another attempt still has it.
 * @returns undefined where there is nothing to do: the task has ended, or ends here because its image is gone, its project
 *   may not have more, or it was begun too often
 */
export function beginAttempt(ctx: Context, taskId: string): Promise<Attempt | undefined> {
  return againIfChanged(async () => {
    const { task, row, leaseMs } = await read(ctx, taskId);
    if (!task || (task.status !== 'pending' && task.status !== 'processing')) return undefined;
    if (task.status === 'processing' && leaseMs >= ctx.clock.nowMs()) return undefined;
    if (row?.status !== 'importing') return giveUp(ctx, task, row, 'Image has been deleted, aborting import.');
    if (task.attempts >= IMPORT_ATTEMPTS_MAX) {
      return giveUp(ctx, task, row, `The import was cut short ${task.attempts} times.`);
    }
    try {
      return { upload: await claim(ctx, task, row), method: methodOf(task), asker: askerOf(task) };
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return giveUp(ctx, task, row, error.message);
    }
  });
}

const methodOf = ({ input }: TaskRow): Attempt['method'] =>
  'import_from' in input ? { name: 'web-download', uri: input.import_from } : input.import_req.method;

const askerOf = ({ projectId, byAdmin }: TaskRow): Attempt['asker'] => ({ projectId, roles: byAdmin ? ['admin'] : [] });

async function read(ctx: Context, taskId: string) {
  const [tasks, rows, leases] = (await runBatch(ctx.db, [
    ctx.db.select().from(imageTasks).where(eq(imageTasks.id, taskId)),
    ctx.db
      .select()
      .from(images)
      .where(sql`images.id = (SELECT image_tasks.image_id FROM image_tasks WHERE image_tasks.id = ${taskId})`),
    ctx.db.all(sql`SELECT loose_blobs.after_ms AS leaseMs FROM image_tasks JOIN images ON images.id = image_tasks.image_id
      JOIN loose_blobs ON loose_blobs.key = images.blob_key WHERE image_tasks.id = ${taskId}`),
  ])) as [TaskRow[], ImageRow[], { leaseMs: number }[]];
  return { task: tasks[0], row: rows[0], leaseMs: leases[0]?.leaseMs ?? 0 };
}

function claim(ctx: Context, task: TaskRow, row: ImageRow): Promise<Upload> {
  const same = sql`EXISTS (SELECT 1 FROM image_tasks WHERE image_tasks.id = ${task.id}
    AND image_tasks.status = ${task.status} AND image_tasks.attempts = ${task.attempts})`;
  return claimUpload(ctx, row, {
    ...{ status: 'importing', action: 'image.download', limit: 'image_size_total', declaredBytes: 0 },
    actor: { type: 'user', id: task.userId },
    pays: true,
    statements: [
      assertThat(ctx.db, UNCHANGED, same),
      ctx.db
        .update(imageTasks)
        .set({ status: 'processing', attempts: task.attempts + 1, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(imageTasks.id, task.id)),
    ],
  });
}

async function giveUp(ctx: Context, task: TaskRow, row: ImageRow | undefined, why: string): Promise<undefined> {
  const stillOurs = sql`images.id = ${task.imageId} AND images.status = 'importing'
    AND images.blob_key IS ${row?.blobKey ?? null}`;
  await commitAll(ctx, [
    endTask(ctx, task.id, why),
    ctx.db
      .update(images)
      .set({
        status: 'queued',
        blobKey: null,
        properties: importMarks(null, true),
        updatedAtMs: sql`max(${ctx.clock.nowMs()}, images.updated_at_ms + 1)`,
      })
      .where(stillOurs),
  ]);
}
