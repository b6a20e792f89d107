import { and, eq } from 'drizzle-orm';
import { users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { notFound, unauthorized } from '../../http/errors.ts';
import { requireFederation } from '../federation/login/find-federation.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { hashPassword, verifyPassword } from '../password.ts';
import { recordFailure, recordSuccess } from '../users/record-login.ts';
import { complianceOf, isExpired, isInactive, isLockedOut } from '../users/security-compliance.ts';
import type { AuthRequest, ScopeRequest } from './auth-request.ts';
import { countUse, type Delegated, delegatedBy, globalOf, namedBy, passedOn } from './delegated.ts';
import { SIGNED_REQUEST } from './delegation.ts';
import { revocationsOf } from './revocation.ts';
import { type KnownUser, type Rights, readRights } from './rights.ts';
import { type Named, type Scope, TOKEN_LIFE_MS, type Token } from './token.ts';
import { checkToken, tokenChecker } from './token-checker.ts';

/**
 * Logs a user in: by password, an earlier token, an application credential, several of them, or as proven elsewhere.
 * @param delegated - rights that were passed on, where the request itself does not name them
 * @returns the token and its text
 * @throws ApiError 401 (who, or no role on the scope), 403 (from system to project or domain, or nothing was passed on),
 *   404 (the earlier token or the trust is no good)
 */
export async function issueToken(
  ctx: Context,
  input: AuthRequest,
  delegated?: Delegated,
): Promise<{ text: string; token: Token }> {
  const issuedAtMs = ctx.clock.nowMs();
  const earlier = input.token === undefined ? undefined : await earlierToken(ctx, input.token, input);
  const passed = delegated ?? (await delegatedBy(ctx, input, earlier));
  const known = input.proven?.userId ?? (input.applicationCredential ? passed?.bearerId : earlier?.user.id);
  const user = input.password?.user ?? (known === undefined ? undefined : { id: known });
  if (!user) throw unauthorized();
  const federation = input.proven?.federation ?? earlier?.federation;
  if (earlier?.federation) await requireFederation(ctx, earlier.federation);
  // Whom an identity provider vouches for gets no scope that was not asked for.
  const asked: ScopeRequest = federation && input.scope.type === 'default' ? { type: 'unscoped' } : input.scope;
  const wanted = passed?.scope ?? asked;
  const rights = await readRights(ctx.db, {
    user,
    scope: wanted,
    revocations: earlier ? revocationsOf(earlier) : [],
    since: earlier?.revocationSeq ?? 0,
    holder: passed?.holder,
    otherIds: passed?.partyIds ?? [],
  });
  if (input.password) await checkPassword(ctx, input.password.password, rights.user);
  if (!rights.user?.enabled || rights.revoked) throw unauthorized();
  if (earlier && earlier.user.id !== rights.user.id) throw unauthorized();
  const { id, name, domain, passwordExpiresAtMs } = passed ? namedBy(passed, rights) : rights.user;
  const roles = passed ? passedOn(passed, rights) : globalOf(rights.held);
  const scope = grantedScope(wanted, rights, roles);
  if (passed?.counted) await countUse(ctx, passed.delegation.id);
  const auditId = newAuditId(ctx);
  const token: Token = {
    user: { id, name, domain },
    scope,
    roles: scope.type === 'unscoped' ? [] : roles,
    methods: methodsOf(input, earlier),
    auditIds: earlier ? [auditId, earlier.auditIds.at(-1) ?? auditId] : [auditId],
    issuedAtMs,
    // A token exchanged for another lives no longer, or nobody would ever have to prove again who they are.
    expiresAtMs: Math.min(earlier?.expiresAtMs ?? issuedAtMs + TOKEN_LIFE_MS, passed?.expiresAtMs ?? Number.MAX_VALUE),
    revocationSeq: rights.revocationSeq,
    ...(federation ? { federation } : {}),
    ...(passed ? { delegation: passed.delegation } : {}),
    ...(passwordExpiresAtMs === null ? {} : { passwordExpiresAtMs }),
  };
  return { text: await tokenChecker(ctx).seal(token), token };
}

/** How the user was proven, each way once. */
function methodsOf(input: AuthRequest, earlier: Token | undefined): string[] {
  const { password, applicationCredential, proven } = input;
  return [
    ...new Set([
      ...(earlier ? ['token', ...earlier.methods] : []),
      ...(password ? ['password'] : []),
      ...(applicationCredential ? ['application_credential'] : []),
      ...(proven ? [proven.method] : []),
    ]),
  ];
}

async function earlierToken(ctx: Context, text: string, { scope }: AuthRequest): Promise<Token> {
  const checked = await checkToken(ctx, text);
  if (!checked) throw notFound('Failed to validate token');
  if (checked.token.methods.includes(SIGNED_REQUEST)) {
    throw forbiddenAction('Using the token of a signed request to create another token is not allowed.');
  }
  if (checked.token.scope.type === 'system' && (scope.type === 'project' || scope.type === 'domain')) {
    throw forbiddenAction(
      'Using a system-scoped token to create a project-scoped or domain-scoped token is not allowed.',
    );
  }
  return checked.token;
}

/** @throws ApiError 401: a wrong password, too many of them, or one that has expired */
async function checkPassword(ctx: Context, password: string, user: KnownUser | undefined): Promise<void> {
  const rules = complianceOf(ctx.env);
  const nowMs = ctx.clock.nowMs();
  const locked = user !== undefined && isLockedOut(rules, user, nowMs);
  // It takes its time, whatever the end: nobody learns by it who there is.
  const { ok, stale } = await verifyPassword(password, user?.passwordHash ?? null);
  if (!user || locked || !ok) {
    await recordFailure(ctx, rules, user);
    throw unauthorized();
  }
  if (isInactive(rules, user, nowMs)) throw unauthorized();
  if (isExpired(user, nowMs)) {
    throw unauthorized(`The password is expired and needs to be changed for user: ${user.id}.`);
  }
  await recordSuccess(ctx, rules, user);
  if (stale) {
    const log = (error: unknown) => ctx.log.error('rehash-failed', { userId: user.id, error: String(error) });
    ctx.waitUntil(rehash(ctx, user, password).catch(log));
  }
}

/** Stores the password anew under today's parameters, unless it has been changed meanwhile. */
async function rehash(ctx: Context, user: KnownUser, password: string): Promise<void> {
  const passwordHash = await hashPassword(password);
  await commit(ctx, {
    audit: { action: 'identity:rehash_password', targetType: 'user', targetId: user.id },
    statements: [
      ctx.db
        .update(users)
        .set({ passwordHash })
        .where(and(eq(users.id, user.id), eq(users.passwordHash, user.passwordHash ?? ''))),
    ],
  });
}

/** The scope as the database allows it. @throws ApiError 401 when it does not */
function grantedScope(scope: ScopeRequest, { project, domain }: Rights, roles: readonly Named[]): Scope {
  if (scope.type === 'unscoped') return { type: 'unscoped' };
  const target = scope.type === 'domain' ? domain : project;
  const usable = roles.length > 0 && (scope.type === 'system' || target?.enabled === true);
  if (scope.type === 'default' && !usable) return { type: 'unscoped' };
  if (!usable) throw unauthorized();
  if (scope.type === 'system') return { type: 'system' };
  if (scope.type === 'domain' && domain) return { type: 'domain', domain: { id: domain.id, name: domain.name } };
  if (!project) throw unauthorized();
  return { type: 'project', project: { id: project.id, name: project.name, domain: project.domain } };
}

/** 128 random bits in the form that Keystone writes them. */
function newAuditId(ctx: Context): string {
  return Buffer.from(ctx.ids.hex(), 'hex').toString('base64url');
}
