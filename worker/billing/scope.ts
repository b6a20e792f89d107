import { sql } from 'drizzle-orm';
import type { billingAccounts } from '../../db/schema/billing.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, notFound } from '../http/errors.ts';
import { authorize, isAdmin, requireProject } from '../http/policy.ts';
import { accountOf, defaultAccountId, ensureAccount } from './accounts/default-account.ts';
import { type BillingAction, policy } from './policy.ts';
import { rowOf } from './rows.ts';

export type AccountRow = typeof billingAccounts.$inferSelect;

/**
 * The project that a call is about: the one it names, or the token's own.
 * @throws ApiError 403 without the role; 404 another's; 400 none
 */
export function scopeProject(ctx: ActorContext, action: BillingAction, projectId: string | undefined): string {
  const asked = projectId ?? requireProject(ctx).actor.projectId;
  if (!isAdmin(ctx) && asked !== ctx.actor.projectId) throw notFound(`There is no project ${asked}.`);
  authorize(ctx, policy, action, { projectId: asked });
  return asked;
}

/** As `scopeProject` for lists, where operators who name no project mean all of them: null. */
export function scopeProjects(ctx: ActorContext, action: BillingAction, projectId: string | undefined): string | null {
  return projectId === undefined && isAdmin(ctx) ? null : scopeProject(ctx, action, projectId);
}

/**
 * The account that a call names; `own` is the one that pays for the token's project, and is made should it not be there.
 * @throws ApiError 403 without the role; 404 none, or another's; 400 `own` without a project
 */
export async function scopeAccount(ctx: ActorContext, action: BillingAction, id: string): Promise<AccountRow> {
  if (id === 'own') return ownAccount(ctx, action);
  const [raw] = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT account.* FROM billing_accounts account WHERE account.id = ${id} AND account.region = ${ctx.region}
      AND (${isAdmin(ctx) ? 1 : 0} OR EXISTS (SELECT 1 FROM billing_account_projects link
        WHERE link.account_id = account.id AND link.project_id = ${ctx.actor.projectId}))`);
  // Who lacks the role is told so, and not whether there is such an account.
  if (policy[action] === 'admin' || raw) authorize(ctx, policy, action, { projectId: ctx.actor.projectId });
  if (!raw) throw notFound(`There is no billing account ${id}.`);
  return rowOf<AccountRow>(raw);
}

async function ownAccount(ctx: ActorContext, action: BillingAction): Promise<AccountRow> {
  const projectId = scopeProject(ctx, action, undefined);
  const find = sql`SELECT * FROM billing_accounts WHERE id = ${accountOf(ctx.region, projectId)}`;
  const [raw] = await ctx.db.all<Record<string, unknown>>(find);
  if (raw) return rowOf<AccountRow>(raw);
  await commit(ctx, {
    audit: {
      action: 'billing:accounts:open',
      targetType: 'billing-account',
      targetId: defaultAccountId(ctx.region, projectId),
    },
    statements: ensureAccount(ctx, projectId),
  });
  const [made] = await ctx.db.all<Record<string, unknown>>(find);
  if (!made) throw badRequest('This project has no billing account.');
  return rowOf<AccountRow>(made);
}
