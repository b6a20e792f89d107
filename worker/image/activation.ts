import { eq } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { againIfChanged, changedAtMs, findImage, stillAsRead } from './find-image.ts';
import { authorizeImage } from './policy.ts';

/** Keeps an active image's data from everybody but admins. @throws ApiError 403 not allowed or another status; 404 */
export function deactivateImage(ctx: ActorContext, imageId: string): Promise<void> {
  return setStatus(ctx, imageId, 'deactivate', 'active', 'deactivated');
}

/** Gives a deactivated image's data out again. @throws ApiError 403 not allowed or another status; 404 */
export function reactivateImage(ctx: ActorContext, imageId: string): Promise<void> {
  return setStatus(ctx, imageId, 'reactivate', 'deactivated', 'active');
}

function setStatus(
  ctx: ActorContext,
  imageId: string,
  action: 'deactivate' | 'reactivate',
  from: 'active' | 'deactivated',
  to: 'active' | 'deactivated',
): Promise<void> {
  return againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    authorizeImage(ctx, action, row.projectId);
    if (row.status === to) return;
    if (row.status !== from) throw forbidden(`Not allowed to ${action} image in status '${row.status}'`);
    await commit(ctx, {
      audit: { action: `image.${action}`, targetType: 'image', targetId: row.id },
      statements: [
        stillAsRead(ctx, row),
        ctx.db
          .update(images)
          .set({ status: to, updatedAtMs: changedAtMs(ctx, row) })
          .where(eq(images.id, row.id)),
      ],
    });
  });
}
