import { sql } from 'drizzle-orm';
import type { billingAccounts } from '../../db/schema/billing.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { authorize, isAdmin, requireProject } from '../http/policy.ts';
import { accountOf, defaultAccountId, ensureAccount } from './accounts/default-account.ts';
import { type Defaults, readDefaults } from './accounts/defaults.ts';
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
 * The account that a call names; `own` is the one that pays for the token's project. A project's first account is shown
 * before it is there, and made by the first call that changes it.
 * @throws ApiError 403 without the role; 404 none, or another's; 400 `own` without a project
 */
export async function scopeAccount(ctx: ActorContext, action: BillingAction, id: string): Promise<AccountRow> {
  if (id === 'own') return projectAccount(ctx, action, scopeProject(ctx, action, undefined));
  const [raw] = await ctx.db.all<Record<string, unknown>>(sql`
    SELECT account.* FROM billing_accounts account WHERE account.id = ${id} AND account.region = ${ctx.region}
      AND (${isAdmin(ctx) ? 1 : 0} OR EXISTS (SELECT 1 FROM billing_account_projects link
        WHERE link.account_id = account.id AND link.project_id = ${ctx.actor.projectId}))`);
  const projectId = id.startsWith(`${ctx.region}.`) ? id.slice(ctx.region.length + 1) : null;
  const first = !raw && projectId !== null && (isAdmin(ctx) || projectId === ctx.actor.projectId);
  // Who lacks the role is told so, and not whether there is such an account.
  if (policy[action] === 'admin' || raw || first) authorize(ctx, policy, action, { projectId: ctx.actor.projectId });
  if (raw) return rowOf<AccountRow>(raw);
  const found = first ? await projectAccount(ctx, action, projectId) : null;
  if (found?.id !== id) throw notFound(`There is no billing account ${id}.`);
  return found;
}

/** @throws ApiError 404 no such project, where an account would have to be made for it */
async function projectAccount(ctx: ActorContext, action: BillingAction, projectId: string): Promise<AccountRow> {
  const find = sql`SELECT * FROM billing_accounts WHERE id = ${accountOf(ctx.region, projectId)}`;
  const [raw] = await ctx.db.all<Record<string, unknown>>(find);
  if (raw) return rowOf<AccountRow>(raw);
  const id = defaultAccountId(ctx.region, projectId);
  // What only reads writes nothing.
  if (/:(list|show)$/.test(action)) return notYet(ctx, id, projectId, await readDefaults(ctx));
  const there =
    projectId === ctx.actor.projectId ? sql`1` : sql`EXISTS (SELECT 1 FROM projects WHERE id = ${projectId})`;
  await commit(ctx, {
    audit: { action: 'billing:accounts:open', targetType: 'billing-account', targetId: id },
    statements: [assertThat(ctx.db, 'project', there), ...ensureAccount(ctx, projectId)],
  }).catch((error: unknown) => {
    throw error instanceof AssertionFailed ? notFound(`There is no billing account ${id}.`) : error;
  });
  const [made] = await ctx.db.all<Record<string, unknown>>(find);
  if (!made) throw notFound(`There is no billing account ${id}.`);
  return rowOf<AccountRow>(made);
}

/** An account as it will be when something is first booked on it. */
function notYet(ctx: ActorContext, id: string, projectId: string, given: Defaults): AccountRow {
  const now = ctx.clock.nowMs();
  return {
    id,
    region: ctx.region,
    name: (projectId === ctx.actor.projectId ? ctx.actor.projectName : null) ?? projectId,
    ...given,
    suspendedAtMs: null,
    deletionToldAtMs: null,
    emptiedAtMs: null,
    state: 'ok',
    stateSinceMs: now,
    toldSequence: 0,
    createdAtMs: now,
  };
}
