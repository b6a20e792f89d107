import { eq } from 'drizzle-orm';
import { type ImportTaskInput, images, looseBlobs } from '../../../db/schema/image.ts';
import { requireSolvent } from '../../billing/admission/require-solvent.ts';
import { type AuditEntry, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { changedAtMs, stillAsRead } from '../find-image.ts';
import { dropLooseBlob } from '../loose-blobs.ts';
import { checkProperties } from '../quotas.ts';
import { withinLimit } from '../usage.ts';
import type { ImageRow } from '../views.ts';
import { sourceOf } from './check-source.ts';
import { findOther, takenAlong } from './other-region.ts';
import type { ImportMethod } from './stores.ts';
import { importMarks, insertTask } from './task-statements.ts';

/** What each method does with an image that is as the method needs it. */
export const METHODS: Record<
  ImportMethod,
  (ctx: ActorContext, row: ImageRow, input: ImportTaskInput) => Promise<void>
> = {
  'glance-direct': takeStaged,
  'web-download': beginDownload,
  'glance-download': beginCopy,
  'copy-image': noteCopied,
};

/** The blob is where it should be already: the image takes it over, or gives it up when it will not do. */
async function takeStaged(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  if (row.staged === null) return;
  const { refusal, ...data } = row.staged;
  const updatedAtMs = changedAtMs(ctx, row);
  const task = { id: ctx.ids.uuid(), input };
  const audit = importAudit(row, input);
  if (refusal === null) {
    const set = { ...data, staged: null, status: 'active' as const, properties: importMarks(null, false), updatedAtMs };
    await commit(ctx, {
      audit,
      statements: [
        stillAsRead(ctx, row),
        withinLimit(ctx, row.projectId, 'image_size_total', data.sizeBytes),
        // It costs something since it was staged.
        ...requireSolvent(ctx, row.projectId),
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

async function beginDownload(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  const { uri } = input.import_req.method;
  if (!uri || !sourceOf(uri, ctx.env.IMPORT_ALLOW)) {
    throw badRequest(`URI for web-download does not pass filtering: ${uri ?? 'None'}`);
  }
  await begin(ctx, row, input);
}

/** What cannot be copied fails in its task, as with Glance, which asks the other region only then. */
async function beginCopy(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  const { method } = input.import_req;
  const other = await findOther(ctx, method);
  if (other) {
    checkProperties({ ...row.properties, ...takenAlong(other) });
    return begin(ctx, row, input);
  }
  const message = `No image ${method.glance_image_id} with data was found in region ${method.glance_region}`;
  await note(ctx, row, { input, status: 'failure', message });
}

/** There is one store, where the image is already: nothing is done, and the task says so. */
function noteCopied(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  return note(ctx, row, { input, status: 'success', message: '' });
}

/** Writes down a task that has ended as it began. */
async function note(
  ctx: ActorContext,
  row: ImageRow,
  task: { input: ImportTaskInput; status: 'success' | 'failure'; message: string },
): Promise<void> {
  await commit(ctx, {
    audit: importAudit(row, task.input),
    statements: [
      stillAsRead(ctx, row),
      insertTask(ctx, { id: ctx.ids.uuid(), ...task }),
      ctx.db
        .update(images)
        .set({ properties: importMarks(null, task.status === 'failure'), updatedAtMs: changedAtMs(ctx, row) })
        .where(eq(images.id, row.id)),
    ],
  });
}

/** Writes the task down, then has it begun; when that word is lost, the region's alarm finds the task. */
async function begin(ctx: ActorContext, row: ImageRow, input: ImportTaskInput): Promise<void> {
  const taskId = ctx.ids.uuid();
  await commit(ctx, {
    audit: importAudit(row, input),
    statements: [
      stillAsRead(ctx, row),
      withinLimit(ctx, row.projectId, 'image_count_uploading', 1),
      withinLimit(ctx, row.projectId, 'image_size_total', 0),
      ...requireSolvent(ctx, row.projectId),
      insertTask(ctx, { id: taskId, input, status: 'pending' }),
      ctx.db
        .update(images)
        .set({ status: 'importing', properties: importMarks(taskId, false), updatedAtMs: changedAtMs(ctx, row) })
        .where(eq(images.id, row.id)),
    ],
  });
  ctx.imports.start(taskId);
}

const importAudit = (row: ImageRow, { import_req: { method } }: ImportTaskInput): AuditEntry => ({
  action: 'image.import',
  targetType: 'image',
  targetId: row.id,
  detail: { method: method.name },
});
