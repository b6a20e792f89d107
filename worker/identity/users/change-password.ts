import { and, eq } from 'drizzle-orm';
import { domains, users } from '../../../db/schema/identity.ts';
import type { Context } from '../../http/context.ts';
import { badRequest, unauthorized } from '../../http/errors.ts';
import { hashPassword, verifyPassword } from '../password.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { rememberPassword, requireNewPassword } from './password-history.ts';
import { recordFailure } from './record-login.ts';
import { complianceOf, expiryOf, isLockedOut, requireGoodPassword, requireOldEnough } from './security-compliance.ts';
import type { PasswordChange } from './user-body.ts';

/**
 * A user's change of the own password, which may have expired: the old one is the proof, no token is needed. Ends all of
 * the user's tokens.
 * @throws ApiError 400 (an admin locked the password, or the rules do not allow the new one), 401
 */
export async function changePassword(
  ctx: Context,
  { id, originalPassword, password }: { id: string } & PasswordChange,
): Promise<void> {
  const { db } = ctx;
  const rules = complianceOf(ctx.env);
  const [found] = await db
    .select({ user: users, domainEnabled: domains.enabled })
    .from(users)
    .innerJoin(domains, eq(domains.id, users.domainId))
    .where(eq(users.id, id));
  const nowMs = ctx.clock.nowMs();
  const passwordHash = found?.user.passwordHash ?? null;
  const locked = found !== undefined && isLockedOut(rules, found.user, nowMs);
  const { ok } = await verifyPassword(originalPassword, passwordHash);
  if (!ok || locked) await recordFailure(ctx, rules, found?.user);
  if (!ok || locked || !found?.user.enabled || !found.domainEnabled) throw unauthorized();
  const { user } = found;
  if (user.options.lock_password === true) {
    throw badRequest(
      'You cannot change your password at this time due to password policy disallowing password changes. Please ' +
        'contact your administrator to reset your password.',
    );
  }
  requireGoodPassword(rules, password);
  requireOldEnough(rules, user.passwordChangedAtMs, nowMs);
  await requireNewPassword(ctx, rules, { userId: id, passwordHash, password });
  const newHash = await hashPassword(password);
  const update = db
    .update(users)
    .set({
      passwordHash: newHash,
      passwordChangedAtMs: nowMs,
      passwordExpiresAtMs: expiryOf(rules, { options: user.options, nowMs, byAdmin: false }),
      failedLogins: 0,
      failedAtMs: null,
    })
    .where(and(eq(users.id, id), eq(users.passwordHash, passwordHash ?? '')))
    .returning({ id: users.id });
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:change_password', targetType: 'user', targetId: id, actor: { type: 'user', id } },
      statements: [update, ...rememberPassword(ctx, rules, { userId: id, passwordHash: newHash })],
    },
    [{ kind: 'user', subject: id }],
  );
  if ((rows as unknown[]).length === 0) throw unauthorized();
}
