import { eq } from 'drizzle-orm';
import { imageMembers, images } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { againIfChanged, changedAtMs, findImage, stillAsRead } from './find-image.ts';
import { endOpenTasks } from './imports/task-statements.ts';
import { releaseData } from './kept-data.ts';
import { dropIfLoose } from './loose-blobs.ts';
import { authorizeImage } from './policy.ts';
import type { ImageRow } from './views.ts';

/** Whether an upload holds the image's blob, and so removes it. */
const isBeingWritten = ({ status, staged }: ImageRow) =>
  status === 'saving' || status === 'importing' || (status === 'uploading' && staged === null);

/**
 * Deletes an image, and its data once no server is of it. An upload under way finds its image gone and removes what it wrote.
 * @throws ApiError 403 protected or another project's, 404
 */
export async function deleteImage(ctx: ActorContext, imageId: string): Promise<void> {
  const blobKey = await againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    authorizeImage(ctx, 'delete_image', row.projectId);
    if (row.protected) throw forbidden(`Image ${row.id} is protected and cannot be deleted.`);
    const blobKey = isBeingWritten(row) ? null : row.blobKey;
    const gone = { status: 'deleted' as const, blobKey, staged: null, properties: {}, tags: [] };
    await commit(ctx, {
      audit: { action: 'image.delete', targetType: 'image', targetId: row.id },
      statements: [
        stillAsRead(ctx, row),
        ctx.db
          .update(images)
          .set({ ...gone, updatedAtMs: changedAtMs(ctx, row) })
          .where(eq(images.id, row.id)),
        ...endOpenTasks(ctx, row.id, 'Image has been deleted, aborting import.'),
        ctx.db.delete(imageMembers).where(eq(imageMembers.imageId, row.id)),
        ...releaseData(ctx),
      ],
    });
    return blobKey;
  });
  if (blobKey) ctx.waitUntil(dropIfLoose(ctx, blobKey));
}
