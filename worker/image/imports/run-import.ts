import { sql } from 'drizzle-orm';
import { imageTasks } from '../../../db/schema/image.ts';
import type { Timers } from '../../../shared/clock.ts';
import type { Context } from '../../http/context.ts';
import { ApiError } from '../../http/errors.ts';
import { IMPORT_DEADLINE_MS, IMPORT_STALL_MS } from '../limits.ts';
import { ACTIVATION, abandonUpload, type Course, storeUpload } from '../store-upload.ts';
import type { ImageRow } from '../views.ts';
import { beginAttempt } from './begin-attempt.ts';
import { openSource } from './open-source.ts';
import { openOther, takenAlong } from './other-region.ts';
import { endTask, importMarks } from './task-statements.ts';

/**
 * Downloads what an import asks for: importing -> active, or queued again with `os_glance_failed_import` and the reason
 * in its task. Does nothing when the task has ended or is being worked on.
 */
export async function runImport(ctx: Context, taskId: string, timers: Timers): Promise<void> {
  const attempt = await beginAttempt(ctx, taskId);
  if (!attempt) return;
  const { upload, method, asker } = attempt;
  const watch = watched(timers);
  const course = importing(ctx, taskId, watch.heard);
  const open = () =>
    method.name === 'glance-download' ? openOther(ctx, method, asker) : openSource(ctx, method.uri ?? '', watch.signal);
  try {
    const { like, ...source } = await open().catch(async (error: unknown) => {
      await abandonUpload(ctx, upload, course, error);
      throw error;
    });
    await storeUpload(
      ctx,
      upload,
      { ...source, declaredBytes: undefined, signal: watch.signal },
      likeOther(course, like),
    );
  } catch (error) {
    ctx.log.info('import-failed', { taskId, imageId: upload.row.id, error: String(error) });
  } finally {
    watch.end();
  }
}

function importing(ctx: Context, taskId: string, heard: () => void): Course {
  return {
    ...ACTIVATION,
    heard,
    done: (data) => ({
      action: 'image.activate',
      set: { ...data, status: 'active', properties: importMarks(null, false) },
      statements: [endTask(ctx, taskId, null)],
    }),
    failed: (error, running) => ({
      set: { properties: importMarks(null, true) },
      statements: [endTask(ctx, taskId, reasonOf(error), running)],
    }),
    progress: (sizeBytes, running) => [
      ctx.db
        .update(imageTasks)
        .set({ message: `Copied ${Math.floor(sizeBytes / 1024 ** 2)} MiB`, updatedAtMs: ctx.clock.nowMs() })
        .where(sql`image_tasks.id = ${taskId} AND ${running}`),
    ],
  };
}

/** For data of another image: it has been looked at, and what is said of it there is said here. */
function likeOther(course: Course, like: ImageRow | undefined): Course {
  if (!like) return course;
  const { virtualSizeBytes, containerFormat, diskFormat } = like;
  return {
    ...course,
    inspect: () => virtualSizeBytes,
    done(data) {
      const ending = course.done(data);
      const properties = sql`json_patch(${importMarks(null, false)}, ${JSON.stringify(takenAlong(like))})`;
      return { ...ending, set: { ...ending.set, containerFormat, diskFormat, properties } };
    },
  };
}

const reasonOf = (error: unknown) =>
  error instanceof ApiError ? error.message : 'The import failed inside the image service.';

/** A signal that comes when a download takes too long, or nothing is heard of it for too long. */
function watched(timers: Timers) {
  const controller = new AbortController();
  const abort = (what: string) => controller.abort(new Error(what));
  const endDeadline = timers.after(IMPORT_DEADLINE_MS, () =>
    abort(`the download took longer than ${IMPORT_DEADLINE_MS / 60_000} minutes`),
  );
  const startStall = () => timers.after(IMPORT_STALL_MS, () => abort(`nothing came for ${IMPORT_STALL_MS / 1000} s`));
  let endStall = startStall();
  return {
    signal: controller.signal,
    heard() {
      endStall();
      endStall = startStall();
    },
    end() {
      endDeadline();
      endStall();
    },
  };
}
