import { eq } from 'drizzle-orm';
import { imageMembers } from '../../db/schema/image.ts';
import { runBatch } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { forbidden, notFound } from '../http/errors.ts';
import { isAdmin } from '../http/policy.ts';
import { imageRead, requireImage } from './find-image.ts';
import type { ImageRow, MemberRow } from './views.ts';

export interface SharedImage {
  image: ImageRow;
  /** In order of their ids: all for the owner and admins, a member's own only. */
  members: MemberRow[];
}

/**
 * A shared image and its members as the actor may see them, in one read.
 * @throws ApiError 403 the image is not shared, 404 there is none
 */
export async function findMembers(ctx: ActorContext, imageId: string): Promise<SharedImage> {
  const id = imageId.toLowerCase();
  const [images, members] = (await runBatch(ctx.db, [
    imageRead(ctx, id),
    ctx.db.select().from(imageMembers).where(eq(imageMembers.imageId, id)).orderBy(imageMembers.memberId),
  ])) as [ImageRow[], MemberRow[]];
  const image = requireImage(ctx, imageId, images[0]);
  if (image.visibility !== 'shared') throw forbidden('Only shared images have members.');
  const all = isAdmin(ctx) || image.projectId === ctx.actor.projectId;
  return { image, members: all ? members : members.filter((member) => member.memberId === ctx.actor.projectId) };
}

/** One of the members. @throws ApiError 404 */
export function requireMember({ image, members }: SharedImage, memberId: string): MemberRow {
  const member = members.find((one) => one.memberId === memberId);
  if (!member) throw notFound(`${memberId} not found in the member list of the image ${image.id}.`);
  return member;
}
