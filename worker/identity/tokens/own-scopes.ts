import { and, asc, eq, inArray } from 'drizzle-orm';
import { assignments, domains, roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { countsInTokens, isOfUser } from '../assignments/of-user.ts';
import type { DomainRow } from '../domains/views.ts';
import { afterMarker, type Page } from '../http/collection.ts';

/** What the token's user was granted, directly or by a group, on targets of a type itself. */
function granted({ db, actor }: ActorContext, type: 'domain' | 'system') {
  return db
    .select({ id: assignments.targetId })
    .from(assignments)
    .innerJoin(roles, eq(roles.id, assignments.roleId))
    .where(
      and(isOfUser(actor.userId), eq(assignments.targetType, type), eq(assignments.inherited, false), countsInTokens),
    );
}

/** The domains that the token's user may scope a token to. */
export async function listOwnDomains(ctx: ActorContext, page: Page): Promise<DomainRow[]> {
  return ctx.db
    .select()
    .from(domains)
    .where(and(inArray(domains.id, granted(ctx, 'domain')), afterMarker(domains.id, page)))
    .orderBy(asc(domains.id))
    .limit(page.limit + 1);
}

/** Whether the token's user may scope a token to the system. */
export async function ownsSystemRole(ctx: ActorContext): Promise<boolean> {
  return (await granted(ctx, 'system').limit(1)).length > 0;
}
