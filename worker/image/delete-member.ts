import { and, eq } from 'drizzle-orm';
import { imageMembers } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { forbidden } from '../http/errors.ts';
import { allows } from '../http/policy.ts';
import { findMembers, requireMember } from './find-members.ts';
import { imagePolicy } from './policy.ts';

/** Takes an image back from a project. @throws ApiError 403 not the owner's, 404 */
export async function deleteMember(ctx: ActorContext, imageId: string, memberId: string): Promise<void> {
  const shared = await findMembers(ctx, imageId);
  if (!allows(ctx, imagePolicy.delete_member, { projectId: shared.image.projectId })) {
    throw forbidden(`Not allowed to delete members for image ${shared.image.id}.`);
  }
  requireMember(shared, memberId);
  await commit(ctx, {
    audit: { action: 'image.member.delete', targetType: 'image', targetId: shared.image.id, detail: { memberId } },
    statements: [
      ctx.db
        .delete(imageMembers)
        .where(and(eq(imageMembers.imageId, shared.image.id), eq(imageMembers.memberId, memberId))),
    ],
  });
}
