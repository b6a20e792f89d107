import { desc, eq, sql } from 'drizzle-orm';
import { passwordHistory } from '../../../db/schema/identity.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { verifyPassword } from '../password.ts';
import type { SecurityCompliance } from './security-compliance.ts';

/** Statements that keep a new password in mind, as long as rules ask for that. */
export function rememberPassword(
  { db, clock }: Context,
  { unique_last_password_count: kept }: SecurityCompliance,
  { userId, passwordHash }: { userId: string; passwordHash: string | null },
): Statement[] {
  if (kept < 2 || passwordHash === null) return [];
  return [
    db.insert(passwordHistory).values({ userId, passwordHash, createdAtMs: clock.nowMs() }),
    db.run(sql`DELETE FROM password_history WHERE user_id = ${userId} AND id NOT IN (
      SELECT id FROM password_history WHERE user_id = ${userId} ORDER BY id DESC LIMIT ${kept})`),
  ];
}

/** @throws ApiError 400 for a password that is the present one, or was one of the last */
export async function requireNewPassword(
  { db }: Context,
  { unique_last_password_count: kept }: SecurityCompliance,
  { userId, passwordHash, password }: { userId: string; passwordHash: string | null; password: string },
): Promise<void> {
  if (kept < 2) return;
  const rows = await db
    .select({ hash: passwordHistory.passwordHash })
    .from(passwordHistory)
    .where(eq(passwordHistory.userId, userId))
    .orderBy(desc(passwordHistory.id))
    .limit(kept);
  const hashes = new Set([...(passwordHash === null ? [] : [passwordHash]), ...rows.map(({ hash }) => hash)]);
  for (const hash of hashes) {
    if (!(await verifyPassword(password, hash)).ok) continue;
    throw badRequest(
      'The new password cannot be identical to a previous password. The total number which includes the new password ' +
        `must be unique is ${kept}.`,
    );
  }
}
