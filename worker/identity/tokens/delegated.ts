import { and, eq, sql } from 'drizzle-orm';
import { applicationCredentials } from '../../../db/schema/delegation.ts';
import { domains, users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { forbidden, unauthorized } from '../../http/errors.ts';
import { readApplicationCredentials } from '../application-credentials/read.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing } from '../http/names.ts';
import { verifyPassword } from '../password.ts';
import { readTrust } from '../trusts/read-trust.ts';
import type { ApplicationCredentialRef, AuthRequest, ScopeRequest } from './auth-request.ts';
import type { Delegation } from './delegation.ts';
import type { KnownUser, Rights } from './rights.ts';
import type { Named, Token } from './token.ts';

/** Rights that were passed on, as a log-in needs them. */
export interface Delegated {
  delegation: Delegation;
  /** Who must have logged in. */
  bearerId: string;
  /** Whom the token is to name. */
  userId: string;
  /** Who else must be able to log in: whom the token is to name, and all through whom the rights came. */
  partyIds: string[];
  /** Whose rights they are, of which these roles, and what they imply, were passed on. */
  holder: { id: string; roleIds: string[]; all: boolean };
  scope: ScopeRequest;
  expiresAtMs: number | null;
  /** Whether each token is counted. */
  counted: boolean;
}

/** @throws ApiError 401, 403, 404 */
export async function delegatedBy(
  ctx: Context,
  { applicationCredential, scope }: AuthRequest,
  earlier: Token | undefined,
): Promise<Delegated | undefined> {
  if (applicationCredential) {
    if (scope.type !== 'default') throw unauthorized();
    return byApplicationCredential(ctx, applicationCredential.ref, applicationCredential.secret);
  }
  if (earlier?.delegation?.type === 'trust') {
    throw forbiddenAction('Using trust-scoped token to create another token. Create a new trust-scoped token instead');
  }
  if (earlier?.delegation) {
    if (scope.type !== 'default') {
      throw forbiddenAction('Using an application credential token to create a scoped token is not allowed.');
    }
    return byApplicationCredential(ctx, { id: earlier.delegation.id });
  }
  return scope.type === 'trust' ? byTrust(ctx, scope.id) : undefined;
}

/** @param secret - not asked for where a token had by it is exchanged */
export async function byApplicationCredential(
  ctx: Context,
  ref: ApplicationCredentialRef,
  secret?: string,
): Promise<Delegated> {
  const [found] = await readApplicationCredentials(ctx, isMeant(ctx, ref));
  if (secret !== undefined) {
    const { ok } = await verifyPassword(secret, found?.row.secretHash ?? null);
    if (!ok) throw unauthorized();
  }
  if (!found) throw unauthorized();
  const { row, rules } = found;
  if (row.expiresAtMs !== null && row.expiresAtMs <= ctx.clock.nowMs()) throw unauthorized();
  const { id, name, unrestricted, userId } = row;
  const accessRules =
    row.accessRuleIds &&
    rules.map((rule) => ({ id: rule.id, service: rule.service, method: rule.method, path: rule.path }));
  return {
    delegation: { type: 'application-credential', id, name, unrestricted, accessRules },
    bearerId: userId,
    userId,
    partyIds: [userId],
    holder: { id: userId, roleIds: row.roleIds, all: false },
    scope: { type: 'project', project: { id: row.projectId } },
    expiresAtMs: row.expiresAtMs,
    counted: false,
  };
}

function isMeant({ db }: Context, ref: ApplicationCredentialRef) {
  if ('id' in ref) return eq(applicationCredentials.id, ref.id);
  const { user } = ref;
  if ('id' in user) return and(eq(applicationCredentials.name, ref.name), eq(applicationCredentials.userId, user.id));
  const domain = 'id' in user.domain ? eq(domains.id, user.domain.id) : eq(domains.name, user.domain.name);
  const owner = db
    .select({ id: users.id })
    .from(users)
    .innerJoin(domains, eq(domains.id, users.domainId))
    .where(and(eq(users.name, user.name), domain));
  return and(eq(applicationCredentials.name, ref.name), sql`${applicationCredentials.userId} IN ${owner}`);
}

/** @throws ApiError 404 for a trust that is not, or no longer */
export async function byTrust(ctx: Context, id: string): Promise<Delegated> {
  const trust = await readTrust(ctx, id);
  if (!trust) throw missing('trust', id);
  const { row, above } = trust;
  const grantorId = (above.at(-1) ?? row).trustorUserId;
  const { trustorUserId: trustorId, trusteeUserId: trusteeId, impersonation } = row;
  return {
    delegation: { type: 'trust', id, trustorId, trusteeId, grantorId, impersonation },
    bearerId: trusteeId,
    userId: impersonation ? trustorId : trusteeId,
    partyIds: [trusteeId, ...[row, ...above].map((one) => one.trustorUserId)],
    holder: { id: grantorId, roleIds: row.roleIds, all: true },
    scope: row.projectId === null ? { type: 'unscoped' } : { type: 'project', project: { id: row.projectId } },
    expiresAtMs: row.expiresAtMs,
    counted: row.remainingUses !== null,
  };
}

/** Whom the token names when rights were passed on: all who are part of that must be able to log in. @throws ApiError 401, 403 */
export function namedBy(passed: Delegated, { user, others }: Rights): KnownUser {
  if (user?.id !== passed.bearerId) {
    throw passed.delegation.type === 'trust' ? forbiddenAction() : unauthorized();
  }
  const named = others.find(({ id }) => id === passed.userId);
  const all = passed.partyIds.every((id) => others.find((one) => one.id === id)?.enabled);
  if (!named || !all) throw forbiddenAction();
  return named;
}

/** The roles that were passed on, as far as the holder still has them; of a trust all of them or none. @throws ApiError 403 */
export function passedOn({ holder, scope }: Delegated, rights: Rights): Named[] {
  const ids = rights.passedOn;
  const lost = ids.some((id) => !rights.held.some((role) => role.id === id));
  if (holder.all && lost && scope.type !== 'unscoped') throw forbiddenAction();
  return globalOf(rights.held.filter(({ id }) => ids.includes(id)));
}

/** The roles that a token carries. */
export const globalOf = (held: Rights['held']): Named[] =>
  held.filter(({ domainId }) => domainId === '').map(({ id, name }) => ({ id, name }));

/** Counts a token had by a trust that gives only so many. @throws ApiError 403 when there are no more */
export async function countUse(ctx: Context, trustId: string): Promise<void> {
  const used = ctx.db.all<{ id: string }>(sql`UPDATE trusts SET remaining_uses = remaining_uses - 1
    WHERE id = ${trustId} AND remaining_uses > 0 RETURNING id`);
  const [rows] = await commit(ctx, {
    audit: { action: 'identity:use_trust', targetType: 'trust', targetId: trustId },
    statements: [used],
  });
  if ((rows as unknown[]).length === 0) throw forbidden(`No remaining uses for trust: ${trustId}.`);
}
