import { and, eq } from 'drizzle-orm';
import { imageMembers } from '../../db/schema/image.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, forbidden } from '../http/errors.ts';
import { allows } from '../http/policy.ts';
import { findMembers, requireMember } from './find-members.ts';
import { MEMBER_STATUSES } from './formats.ts';
import { imagePolicy } from './policy.ts';
import type { MemberRow } from './views.ts';

/**
 * Accepts or rejects an image that was offered; the member itself says so, not the owner.
 * @throws ApiError 400 no such status, 403, 404
 */
export async function updateMember(
  ctx: ActorContext,
  imageId: string,
  memberId: string,
  statusText: string,
): Promise<MemberRow> {
  const shared = await findMembers(ctx, imageId);
  if (!allows(ctx, imagePolicy.modify_member, { projectId: memberId })) {
    throw forbidden(`Not allowed to update members for image ${shared.image.id}.`);
  }
  const member = requireMember(shared, memberId);
  const status = MEMBER_STATUSES.find((one) => one === statusText);
  if (!status) throw badRequest(`Incorrect request: Status must be "pending", "accepted" or "rejected".`);
  const set = { status, updatedAtMs: ctx.clock.nowMs() };
  await commit(ctx, {
    audit: {
      action: 'image.member.update',
      targetType: 'image',
      targetId: shared.image.id,
      detail: { memberId, status },
    },
    statements: [
      ctx.db
        .update(imageMembers)
        .set(set)
        .where(and(eq(imageMembers.imageId, member.imageId), eq(imageMembers.memberId, memberId))),
    ],
  });
  return { ...member, ...set };
}
