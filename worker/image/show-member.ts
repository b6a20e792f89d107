import type { ActorContext } from '../http/context.ts';
import { ApiError, notFound } from '../http/errors.ts';
import { findMembers, requireMember } from './find-members.ts';
import type { MemberRow } from './views.ts';

/** One project that an image is shared with. @throws ApiError 404, also where the actor may not look */
export async function showMember(ctx: ActorContext, imageId: string, memberId: string): Promise<MemberRow> {
  try {
    return requireMember(await findMembers(ctx, imageId), memberId);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) throw notFound(error.message);
    throw error;
  }
}
