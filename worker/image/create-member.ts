import { sql } from 'drizzle-orm';
import { imageMembers } from '../../db/schema/image.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict, forbidden, tooLarge } from '../http/errors.ts';
import { allows } from '../http/policy.ts';
import { findMembers } from './find-members.ts';
import { MEMBERS_MAX } from './limits.ts';
import { imagePolicy } from './policy.ts';
import type { MemberRow } from './views.ts';

/**
 * Offers a shared image to another project, which then accepts or rejects it.
 * @throws ApiError 403 not the owner's, or not shared; 404; 409 it is a member; 413 too many members
 */
export async function createMember(ctx: ActorContext, imageId: string, memberId: string): Promise<MemberRow> {
  const { image } = await findMembers(ctx, imageId);
  if (!allows(ctx, imagePolicy.add_member, { projectId: image.projectId })) {
    throw forbidden(`Not allowed to create members for image ${image.id}.`);
  }
  const nowMs = ctx.clock.nowMs();
  const member = {
    imageId: image.id,
    memberId,
    status: 'pending' as const,
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  const roomLeft = sql`(SELECT count(*) FROM image_members WHERE image_members.image_id = ${image.id}) < ${MEMBERS_MAX}`;
  try {
    await commit(ctx, {
      audit: { action: 'image.member.create', targetType: 'image', targetId: image.id, detail: { memberId } },
      statements: [assertThat(ctx.db, 'members-left', roomLeft), ctx.db.insert(imageMembers).values(member)],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw conflict(`Member ${memberId} is duplicated for image ${image.id}`);
    if (error instanceof AssertionFailed) {
      throw tooLarge(`Image member limit exceeded for image ${image.id}: at most ${MEMBERS_MAX}.`);
    }
    throw error;
  }
  return member;
}
