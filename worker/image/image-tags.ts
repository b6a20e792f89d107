import { eq } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, notFound } from '../http/errors.ts';
import { againIfChanged, changedAtMs, findImage, stillAsRead } from './find-image.ts';
import { NAME_CHARS_MAX } from './limits.ts';
import { authorizeImage } from './policy.ts';
import { distinctTags } from './quotas.ts';

/** Adds a tag; one that is there stays. @throws ApiError 400 too long, 403, 404, 413 too many */
export function addTag(ctx: ActorContext, imageId: string, tag: string): Promise<void> {
  if (tag.length > NAME_CHARS_MAX) {
    throw badRequest(`Provided object does not match schema 'image': a tag has at most ${NAME_CHARS_MAX} characters.`);
  }
  return changeTags(ctx, imageId, 'image.tag.add', tag, (tags) => distinctTags([...tags, tag]));
}

/** Removes a tag. @throws ApiError 403, 404 no such image or tag */
export function removeTag(ctx: ActorContext, imageId: string, tag: string): Promise<void> {
  return changeTags(ctx, imageId, 'image.tag.remove', tag, (tags) => {
    if (!tags.includes(tag)) throw notFound('The resource could not be found.');
    return tags.filter((one) => one !== tag);
  });
}

function changeTags(
  ctx: ActorContext,
  imageId: string,
  action: string,
  tag: string,
  change: (tags: string[]) => string[],
): Promise<void> {
  return againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    authorizeImage(ctx, 'modify_image', row.projectId);
    await commit(ctx, {
      audit: { action, targetType: 'image', targetId: row.id, detail: { tag } },
      statements: [
        stillAsRead(ctx, row),
        ctx.db
          .update(images)
          .set({ tags: change(row.tags), updatedAtMs: changedAtMs(ctx, row) })
          .where(eq(images.id, row.id)),
      ],
    });
  });
}
