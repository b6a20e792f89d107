import { and, asc, eq, sql } from 'drizzle-orm';
import { projects, users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { projectFilters } from './list-projects.ts';
import { idsOfUser } from './tree.ts';
import type { ProjectRow } from './views.ts';

interface Input {
  userId: string;
  query: URLSearchParams;
  page: Page;
}

function select({ db }: ActorContext, { userId, query, page }: Input) {
  return db
    .select()
    .from(projects)
    .where(and(sql`${projects.id} IN ${idsOfUser(userId)}`, ...projectFilters(query), afterMarker(projects.id, page)))
    .orderBy(asc(projects.id))
    .limit(page.limit + 1);
}

/** The projects on which a user holds a role. @throws ApiError 403, 404 (no such user) */
export async function listUserProjects(ctx: ActorContext, input: Input): Promise<ProjectRow[]> {
  const [userRows, projectRows] = await ctx.db.batch([
    ctx.db.select({ domainId: users.domainId }).from(users).where(eq(users.id, input.userId)),
    select(ctx, input),
  ]);
  const user = userRows[0];
  authorize(ctx, 'identity:list_user_projects', user ? { userId: input.userId, userDomainId: user.domainId } : {});
  if (!user) throw missing('user', input.userId);
  return projectRows;
}

/** The projects that the token's user may scope a token to. */
export async function listOwnProjects(
  ctx: ActorContext,
  input: { query: URLSearchParams; page: Page },
): Promise<ProjectRow[]> {
  return select(ctx, { ...input, userId: ctx.actor.userId });
}
