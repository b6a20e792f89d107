import { and, asc, eq, sql } from 'drizzle-orm';
import { accessRules } from '../../../db/schema/delegation.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { refuseTrusts } from './guards.ts';
import type { AccessRuleRow } from './views.ts';

/** The rules that a user's application credentials were ever limited by. @throws ApiError 403 */
export async function listAccessRules(
  ctx: ActorContext,
  { userId, query, page }: { userId: string; query: URLSearchParams; page: Page },
): Promise<AccessRuleRow[]> {
  authorize(ctx, 'identity:list_access_rules', { userId });
  refuseTrusts(ctx);
  return ctx.db
    .select()
    .from(accessRules)
    .where(
      and(
        eq(accessRules.userId, userId),
        ...textFilters(query, 'service', accessRules.service),
        ...textFilters(query, 'method', accessRules.method),
        ...textFilters(query, 'path', accessRules.path),
        afterMarker(accessRules.id, page),
      ),
    )
    .orderBy(asc(accessRules.id))
    .limit(page.limit + 1);
}

/** @throws ApiError 403, 404 */
export async function findAccessRule(
  ctx: ActorContext,
  { userId, id }: { userId: string; id: string },
  action: 'identity:get_access_rule' | 'identity:delete_access_rule' = 'identity:get_access_rule',
): Promise<AccessRuleRow> {
  authorize(ctx, action, { userId });
  refuseTrusts(ctx);
  const ofUser = and(eq(accessRules.userId, userId), eq(accessRules.id, id));
  const [row] = await ctx.db.select().from(accessRules).where(ofUser);
  if (!row) throw missing('Access Rule', id);
  return row;
}

/** @throws ApiError 403 (also: a credential uses it), 404 */
export async function deleteAccessRule(ctx: ActorContext, at: { userId: string; id: string }): Promise<void> {
  const action = 'identity:delete_access_rule';
  const { id } = await findAccessRule(ctx, at, action);
  const unused = sql`NOT EXISTS (SELECT 1 FROM application_credentials, json_each(access_rule_ids) WHERE value = ${id})`;
  await commit(ctx, {
    audit: { action, targetType: 'access-rule', targetId: id },
    statements: [assertThat(ctx.db, 'unused', unused), ctx.db.delete(accessRules).where(eq(accessRules.id, id))],
  }).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed)) throw error;
    throw forbiddenAction('May not delete access rule in use by an application credential');
  });
}
