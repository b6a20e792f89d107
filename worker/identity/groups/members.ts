import { and, asc, eq, inArray } from 'drizzle-orm';
import { groupMembers, groups, users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { enabledFilter, textFilters } from '../http/filters.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { UserRow } from '../users/views.ts';
import { findGroup } from './find-group.ts';
import { losersByGroup } from './losers.ts';
import { stands } from './stands.ts';

/** A user in a group. */
export interface Membership {
  groupId: string;
  userId: string;
}

const memberIs = ({ groupId, userId }: Membership) =>
  and(eq(groupMembers.groupId, groupId), eq(groupMembers.userId, userId));

/** A membership that lasts, and lasts from now on if it would have ended by itself. */
const lasting = { expiresAtMs: null, idpId: null };

/** The user's membership, if there is one; user and group must be there, and the actor may do this to them. */
async function find(ctx: ActorContext, membership: Membership, action: Action) {
  const { groupId, userId } = membership;
  const [[group], [user], members] = await ctx.db.batch([
    ctx.db.select({ domainId: groups.domainId }).from(groups).where(eq(groups.id, groupId)),
    ctx.db.select({ domainId: users.domainId }).from(users).where(eq(users.id, userId)),
    ctx.db
      .select({ expiresAtMs: groupMembers.expiresAtMs })
      .from(groupMembers)
      .where(and(memberIs(membership), stands)),
  ]);
  authorize(ctx, action, {
    ...(group ? { groupDomainId: group.domainId } : {}),
    ...(user ? { userDomainId: user.domainId } : {}),
  });
  if (!user) throw missing('user', userId);
  if (!group) throw missing('group', groupId);
  return members[0];
}

const noMember = ({ groupId, userId }: Membership) => notFound(`User '${userId}' not found in group '${groupId}'.`);

/** @throws ApiError 403, 404 (also: the user is not in the group) */
export async function requireMember(ctx: ActorContext, membership: Membership): Promise<void> {
  if (!(await find(ctx, membership, 'identity:check_user_in_group'))) throw noMember(membership);
}

/** Adding one who is in already changes nothing. @throws ApiError 403, 404 */
export async function addMember(ctx: ActorContext, membership: Membership): Promise<void> {
  const action = 'identity:add_user_to_group';
  const known = await find(ctx, membership, action);
  if (known && known.expiresAtMs === null) return;
  await commit(ctx, {
    audit: { action, targetType: 'group', targetId: membership.groupId, detail: { userId: membership.userId } },
    statements: [
      ctx.db
        .insert(groupMembers)
        .values(membership)
        .onConflictDoUpdate({ target: [groupMembers.groupId, groupMembers.userId], set: lasting }),
    ],
  });
}

/** Ends the user's tokens, where anything was granted to the group. @throws ApiError 403, 404 */
export async function removeMember(ctx: ActorContext, membership: Membership): Promise<void> {
  const { groupId, userId } = membership;
  const action = 'identity:remove_user_from_group';
  if (!(await find(ctx, membership, action))) throw noMember(membership);
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'group', targetId: groupId, detail: { userId } },
      statements: [ctx.db.delete(groupMembers).where(memberIs(membership))],
    },
    [],
    losersByGroup(groupId, userId),
  );
}

/** The users in a group. @throws ApiError 403, 404 */
export async function listMembers(
  ctx: ActorContext,
  { groupId, query, page }: { groupId: string; query: URLSearchParams; page: Page },
): Promise<UserRow[]> {
  await findGroup(ctx, groupId, 'identity:list_users_in_group');
  const inGroup = ctx.db
    .select({ id: groupMembers.userId })
    .from(groupMembers)
    .where(and(eq(groupMembers.groupId, groupId), stands));
  return ctx.db
    .select()
    .from(users)
    .where(
      and(
        inArray(users.id, inGroup),
        enabledFilter(query, users.enabled),
        ...textFilters(query, 'name', users.name),
        ...textFilters(query, 'domain_id', users.domainId),
        afterMarker(users.id, page),
      ),
    )
    .orderBy(asc(users.id))
    .limit(page.limit + 1);
}
