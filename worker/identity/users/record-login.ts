import { eq, sql } from 'drizzle-orm';
import { users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { dayOf, isLockedOut, type SecurityCompliance, type Standing } from './security-compliance.ts';

/**
 * Counts a wrong password; after a lock-out has ended it is the first again. Written after the answer: one that waited for it
 * would tell by its time that there is such a user.
 */
export function recordFailure(ctx: Context, rules: SecurityCompliance, user: Standing & { id: string }): void {
  if (rules.lockout_failure_attempts === null || user.options.ignore_lockout_failure_attempts === true) return;
  const nowMs = ctx.clock.nowMs();
  const wasLocked = user.failedLogins >= rules.lockout_failure_attempts && !isLockedOut(rules, user, nowMs);
  const counted = write(ctx, user.id, 'identity:failed_login', {
    failedLogins: wasLocked ? sql`1` : sql`${users.failedLogins} + 1`,
    failedAtMs: nowMs,
  });
  const log = (error: unknown) => ctx.log.error('failed-login-uncounted', { userId: user.id, error: String(error) });
  ctx.waitUntil(counted.catch(log));
}

/** Forgets wrong passwords after the right one, and keeps the day where that matters. */
export async function recordSuccess(
  ctx: Context,
  rules: SecurityCompliance,
  user: Standing & { id: string },
): Promise<void> {
  const today = dayOf(ctx.clock.nowMs());
  const active = rules.disable_user_account_days_inactive !== null && user.activeAtMs !== today;
  if (user.failedLogins === 0 && !active) return;
  await write(ctx, user.id, 'identity:login', {
    failedLogins: 0,
    failedAtMs: null,
    ...(active ? { activeAtMs: today } : {}),
  });
}

async function write(
  ctx: Context,
  id: string,
  action: string,
  set: Parameters<ReturnType<Context['db']['update']>['set']>[0],
) {
  await commit(ctx, {
    audit: { action, targetType: 'user', targetId: id },
    statements: [ctx.db.update(users).set(set).where(eq(users.id, id))],
  });
}
