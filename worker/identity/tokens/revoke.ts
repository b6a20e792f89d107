import { lt } from 'drizzle-orm';
import { revocations } from '../../../db/schema/identity.ts';
import { type Change, commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import type { Revocation, StoredRevocation } from './revocation.ts';
import { TOKEN_LIFE_MS } from './token.ts';
import { tokenChecker } from './token-checker.ts';

/** Isolates and the machines they run on may disagree about the time by this much. */
const CLOCK_SKEW_MS = 5 * 60 * 1000;

/**
 * Writes a change and ends the tokens it takes the ground from: in the same batch for all isolates, and at once in this one.
 * @returns the results of the change's statements, in order
 * @throws AssertionFailed, ConstraintFailed - and then nothing was written and no token ended
 */
export async function commitRevoking(ctx: Context, change: Change, revoked: readonly Revocation[]): Promise<unknown[]> {
  if (revoked.length === 0) return commit(ctx, change);
  const nowMs = ctx.clock.nowMs();
  const expiresAtMs = nowMs + TOKEN_LIFE_MS + CLOCK_SKEW_MS;
  const insert = ctx.db
    .insert(revocations)
    .values(revoked.map(({ kind, subject }) => ({ kind, subject, createdAtMs: nowMs, expiresAtMs })))
    .returning();
  const forget = ctx.db.delete(revocations).where(lt(revocations.expiresAtMs, nowMs - CLOCK_SKEW_MS));
  const results = await commit(ctx, { ...change, statements: [...change.statements, insert, forget] });
  tokenChecker(ctx).revocations.apply(results.at(-2) as StoredRevocation[]);
  return results.slice(0, -2);
}
