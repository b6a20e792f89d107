import { eq } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { isAdmin } from '../http/policy.ts';
import { applyChanges } from './apply-changes.ts';
import { againIfChanged, changedAtMs, findImage, stillAsRead } from './find-image.ts';
import type { ImageChange } from './json-patch.ts';
import { authorizeImage } from './policy.ts';
import type { ImageRow } from './views.ts';

/**
 * Changes an image's members, all or none.
 * @throws ApiError 403, 404, and as `applyChanges`
 */
export function updateImage(ctx: ActorContext, imageId: string, changes: ImageChange[]): Promise<ImageRow> {
  return againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    for (const change of changes) authorizeChange(ctx, row, change);
    if (changes.length === 0) return row;
    const set = { ...applyChanges(row, changes), updatedAtMs: changedAtMs(ctx, row) };
    await commit(ctx, {
      audit: {
        action: 'image.update',
        targetType: 'image',
        targetId: row.id,
        detail: { members: [...new Set(changes.map((change) => change.member))] },
      },
      statements: [stillAsRead(ctx, row), ctx.db.update(images).set(set).where(eq(images.id, row.id))],
    });
    return { ...row, ...set };
  });
}

function authorizeChange(ctx: ActorContext, row: ImageRow, change: ImageChange): void {
  if (change.member === 'owner' && change.op !== 'remove' && !isAdmin(ctx)) {
    throw forbidden("Owner can't be updated by non admin.");
  }
  if (change.member === 'visibility' && change.op !== 'remove') {
    if (change.value === 'public') authorizeImage(ctx, 'publicize_image', row.projectId);
    if (change.value === 'community') authorizeImage(ctx, 'communitize_image', row.projectId);
  }
  authorizeImage(ctx, 'modify_image', row.projectId);
}
