import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import { accessRules, applicationCredentials } from '../../../db/schema/delegation.ts';
import { roles, users } from '../../../db/schema/identity.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { refuseTrusts } from './guards.ts';
import type { ApplicationCredential } from './views.ts';

/** Reads application credentials with their roles and rules in one round trip. */
export async function readApplicationCredentials(
  { db }: Context,
  condition: SQL | undefined,
  limit = 1,
): Promise<ApplicationCredential[]> {
  const chosen = db
    .select({ id: applicationCredentials.id })
    .from(applicationCredentials)
    .where(condition)
    .orderBy(asc(applicationCredentials.id))
    .limit(limit);
  const among = sql`application_credentials.id IN ${chosen}`;
  const [rows, roleRows, ruleRows] = await db.batch([
    db.select().from(applicationCredentials).where(among).orderBy(asc(applicationCredentials.id)),
    db
      .select()
      .from(roles)
      .where(sql`${roles.id} IN (SELECT value FROM application_credentials, json_each(role_ids) WHERE ${among})`)
      .orderBy(asc(roles.id)),
    db
      .select()
      .from(accessRules)
      .where(
        sql`${accessRules.id} IN (SELECT value FROM application_credentials, json_each(access_rule_ids) WHERE ${among})`,
      )
      .orderBy(asc(accessRules.id)),
  ]);
  return rows.map((row) => ({
    row,
    roles: roleRows.filter(({ id }) => row.roleIds.includes(id)),
    rules: ruleRows.filter(({ id }) => row.accessRuleIds?.includes(id)),
  }));
}

/** @throws ApiError 403, 404 */
export async function findApplicationCredential(
  ctx: ActorContext,
  { userId, id }: { userId: string; id: string },
  action: 'identity:get_application_credential' | 'identity:delete_application_credential',
): Promise<ApplicationCredential> {
  const [found] = await readApplicationCredentials(ctx, eq(applicationCredentials.id, id));
  // Whose it is counts, not whose the path says it is.
  authorize(ctx, action, { userId: found?.row.userId ?? userId });
  refuseTrusts(ctx);
  if (!found) throw missing('Application Credential', id);
  return found;
}

/** @throws ApiError 403, 404 (no such user) */
export async function listApplicationCredentials(
  ctx: ActorContext,
  { userId, query, page }: { userId: string; query: URLSearchParams; page: Page },
): Promise<ApplicationCredential[]> {
  authorize(ctx, 'identity:list_application_credentials', { userId });
  refuseTrusts(ctx);
  const known = await ctx.db.select({ id: users.id }).from(users).where(eq(users.id, userId));
  if (known.length === 0) throw missing('user', userId);
  const condition = and(
    eq(applicationCredentials.userId, userId),
    ...textFilters(query, 'name', applicationCredentials.name),
    afterMarker(applicationCredentials.id, page),
  );
  return readApplicationCredentials(ctx, condition, page.limit + 1);
}
