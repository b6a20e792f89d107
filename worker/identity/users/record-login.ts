import { eq, sql } from 'drizzle-orm';
import { users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { dayOf, isLockedOut, type SecurityCompliance, type Standing } from './security-compliance.ts';

/** Stands for who is not there, or is not counted. */
const NOBODY = 'nobody';

/**
 * Counts a wrong password; after a lock-out has ended it is the first again. What does not count (there is no such user, or
 * it is locked, or excepted) is written all the same: the time of the answer tells nobody whom there is.
 */
export async function recordFailure(
  ctx: Context,
  rules: SecurityCompliance,
  user: (Standing & { id: string }) | undefined,
): Promise<void> {
  if (rules.lockout_failure_attempts === null) return;
  const nowMs = ctx.clock.nowMs();
  const locked = user !== undefined && isLockedOut(rules, user, nowMs);
  const counts = user !== undefined && !locked && user.options.ignore_lockout_failure_attempts !== true;
  const wasLocked = counts && user.failedLogins >= rules.lockout_failure_attempts;
  await write(ctx, counts ? user.id : NOBODY, 'identity:failed_login', {
    failedLogins: wasLocked ? sql`1` : sql`${users.failedLogins} + 1`,
    failedAtMs: nowMs,
  });
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
