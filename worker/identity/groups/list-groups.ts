import { and, asc, eq, inArray } from 'drizzle-orm';
import { groupMembers, groups } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { given } from '../../http/given.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { authorize } from '../policy.ts';
import { findUser } from '../users/find-user.ts';
import { stands } from './stands.ts';
import type { GroupRow } from './views.ts';

interface Input {
  query: URLSearchParams;
  page: Page;
}

/** The groups the query asks for; with a token of a domain only its own. @throws ApiError 403 */
export async function listGroups(ctx: ActorContext, input: Input): Promise<GroupRow[]> {
  authorize(ctx, 'identity:list_groups', given({ groupDomainId: ctx.actor.domainId ?? undefined }));
  return select(ctx, input);
}

/** The groups that a user is in. @throws ApiError 403, 404 (no such user) */
export async function listUserGroups(ctx: ActorContext, input: Input & { userId: string }): Promise<GroupRow[]> {
  await findUser(ctx, input.userId, 'identity:list_groups_for_user');
  return select(ctx, input);
}

function select({ db, actor }: ActorContext, { query, page, userId }: Input & { userId?: string }) {
  const ofUser = db
    .select({ id: groupMembers.groupId })
    .from(groupMembers)
    .where(and(eq(groupMembers.userId, userId ?? ''), stands));
  return db
    .select()
    .from(groups)
    .where(
      and(
        actor.domainId === null ? undefined : eq(groups.domainId, actor.domainId),
        userId === undefined ? undefined : inArray(groups.id, ofUser),
        ...textFilters(query, 'name', groups.name),
        ...textFilters(query, 'domain_id', groups.domainId),
        afterMarker(groups.id, page),
      ),
    )
    .orderBy(asc(groups.id))
    .limit(page.limit + 1);
}
