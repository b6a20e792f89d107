import { eq } from 'drizzle-orm';
import { type ImportTaskInput, images, looseBlobs } from '../../../db/schema/image.ts';
import { AssertionFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { againIfChanged, changedAtMs, findImage, stillAsRead } from '../find-image.ts';
import { dropLooseBlob } from '../loose-blobs.ts';
import { authorizeImage } from '../policy.ts';
import { typedLimit, withinLimit } from '../usage.ts';
import type { ImageRow } from '../views.ts';
import { sourceOf } from './check-source.ts';
import { checkStores, type ImportRequest } from './import-body.ts';
import { STORE_ID } from './stores.ts';
import { importMarks, insertTask } from './task-statements.ts';

/**
 * Imports an image. Staged data becomes the image's at once; a download goes on after the answer; a copy has nothing to
 * do, as there is one store.
 * @throws ApiError 400 a source that is not allowed, or a copy to where it is; 403, 404; 409 not in the status that the
 *   method needs, no formats, or no such store; 413 over what the project may have
 */
export function importImage(ctx: ActorContext, imageId: string, request: ImportRequest): Promise<void> {
  return againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    checkStatus(row, request);
    if (request.method === 'copy-image') {
      authorizeImage(ctx, 'copy_image', row.projectId);
      checkStores(request);
      if (!request.allStores) throw badRequest(`Image is already present at store '${STORE_ID}'`);
      return;
    }
    authorizeImage(ctx, 'modify_image', row.projectId);
    checkStores(request);
    const input = { image_id: row.id, import_req: request.body, backend: [STORE_ID] };
    try {
      await (request.method === 'glance-direct' ? takeStaged(ctx, row, input) : beginDownload(ctx, row, input));
    } catch (error) {
      throw error instanceof AssertionFailed ? typedLimit(error, row.projectId) : error;
    }
  });
}

function checkStatus(row: ImageRow, { method }: ImportRequest): void {
  if (row.status === 'active' && method !== 'copy-image') {
    throw conflict('Image with status active cannot be target for import');
  }
  if (row.status !== 'active' && method === 'copy-image') {
    throw conflict('Only images with status active can be targeted for copying');
  }
  if (row.status !== 'queued' && method === 'web-download') {
    throw conflict("Image needs to be in 'queued' state to use 'web-download' method");
  }
  if ((row.status !== 'uploading' || row.staged === null) && method === 'glance-direct') {
    throw conflict("Image needs to be staged before 'glance-direct' method can be used");
  }
  if (!row.containerFormat) throw conflict("'container_format' needs to be set before import");
  if (!row.diskFormat) throw conflict("'disk_format' needs to be set before import");
}

/** The blob is where it should be already: the image takes it over, or gives it up when it will not do. */
async function takeStaged(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  if (row.staged === null) return;
  const { refusal, ...data } = row.staged;
  const updatedAtMs = changedAtMs(ctx, row);
  const task = { id: ctx.ids.uuid(), input };
  const audit = { action: 'image.import', targetType: 'image', targetId: row.id, detail: { method: 'glance-direct' } };
  if (refusal === null) {
    const set = { ...data, staged: null, status: 'active' as const, properties: importMarks(null, false), updatedAtMs };
    await commit(ctx, {
      audit,
      statements: [
        stillAsRead(ctx, row),
        withinLimit(ctx, row.projectId, 'image_size_total', data.sizeBytes),
        insertTask(ctx, { ...task, status: 'success' }),
        ctx.db.update(images).set(set).where(eq(images.id, row.id)),
      ],
    });
    return;
  }
  const key = row.blobKey ?? '';
  const set = { staged: null, blobKey: null, sizeBytes: null, status: 'queued' as const, updatedAtMs };
  await commit(ctx, {
    audit,
    statements: [
      stillAsRead(ctx, row),
      insertTask(ctx, { ...task, status: 'failure', message: refusal }),
      ctx.db
        .update(images)
        .set({ ...set, properties: importMarks(null, true) })
        .where(eq(images.id, row.id)),
      ctx.db.insert(looseBlobs).values({ key, region: ctx.region, afterMs: ctx.clock.nowMs() }),
    ],
  });
  ctx.waitUntil(dropLooseBlob(ctx, key));
}

/** Writes the task down, then has it begun; when that word is lost, the region's alarm finds the task. */
async function beginDownload(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  const { uri } = input.import_req.method;
  if (!uri || !sourceOf(uri, ctx.env.IMPORT_ALLOW)) {
    throw badRequest(`URI for web-download does not pass filtering: ${uri ?? 'None'}`);
  }
  const taskId = ctx.ids.uuid();
  await commit(ctx, {
    audit: { action: 'image.import', targetType: 'image', targetId: row.id, detail: { method: 'web-download' } },
    statements: [
      stillAsRead(ctx, row),
      withinLimit(ctx, row.projectId, 'image_count_uploading', 1),
      withinLimit(ctx, row.projectId, 'image_size_total', 0),
      insertTask(ctx, { id: taskId, input, status: 'pending' }),
      ctx.db
        .update(images)
        .set({ status: 'importing', properties: importMarks(taskId, false), updatedAtMs: changedAtMs(ctx, row) })
        .where(eq(images.id, row.id)),
    ],
  });
  ctx.imports.start(taskId);
}
