import { and, eq } from 'drizzle-orm';
import { domains, users } from '../../../db/schema/identity.ts';
import type { Context } from '../../http/context.ts';
import { badRequest, unauthorized } from '../../http/errors.ts';
import { hashPassword, verifyPassword } from '../password.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { PasswordChange } from './user-body.ts';

/**
 * A user's change of the own password: the old one is the proof, no token is needed. Ends all of the user's tokens.
 * @throws ApiError 400 (an admin locked the password), 401
 */
export async function changePassword(
  ctx: Context,
  { id, originalPassword, password }: { id: string } & PasswordChange,
): Promise<void> {
  const { db } = ctx;
  const [found] = await db
    .select({ user: users, domainEnabled: domains.enabled })
    .from(users)
    .innerJoin(domains, eq(domains.id, users.domainId))
    .where(eq(users.id, id));
  const passwordHash = found?.user.passwordHash ?? null;
  const { ok } = await verifyPassword(originalPassword, passwordHash);
  if (!ok || !found?.user.enabled || !found.domainEnabled) throw unauthorized();
  if (found.user.options.lock_password === true) {
    throw badRequest(
      'You cannot change your password at this time due to password policy disallowing password changes. Please ' +
        'contact your administrator to reset your password.',
    );
  }
  const update = db
    .update(users)
    .set({ passwordHash: await hashPassword(password), passwordChangedAtMs: ctx.clock.nowMs() })
    .where(and(eq(users.id, id), eq(users.passwordHash, passwordHash ?? '')))
    .returning({ id: users.id });
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:change_password', targetType: 'user', targetId: id, actor: { type: 'user', id } },
      statements: [update],
    },
    [{ kind: 'user', subject: id }],
  );
  if ((rows as unknown[]).length === 0) throw unauthorized();
}
