import { lt, type SQL, sql } from 'drizzle-orm';
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
 * @param alsoOf - a SELECT of `kind` and `subject` for more, run before the change's statements
 * @returns the results of the change's statements, in order
 * @throws AssertionFailed, ConstraintFailed - and then nothing was written and no token ended
 */
export async function commitRevoking(
  ctx: Context,
  change: Change,
  revoked: readonly Revocation[],
  alsoOf?: SQL,
): Promise<unknown[]> {
  if (revoked.length === 0 && !alsoOf) return commit(ctx, change);
  const nowMs = ctx.clock.nowMs();
  const expiresAtMs = nowMs + TOKEN_LIFE_MS + CLOCK_SKEW_MS;
  const rows = revoked.map(({ kind, subject }) => sql`SELECT ${kind} AS kind, ${subject} AS subject`);
  const insert = ctx.db.all<StoredRevocation>(sql`
    INSERT INTO revocations (kind, subject, created_at_ms, expires_at_ms)
    SELECT kind, subject, ${nowMs}, ${expiresAtMs} FROM (${sql.join(alsoOf ? [...rows, alsoOf] : rows, sql` UNION ALL `)})
    RETURNING seq, kind, subject, expires_at_ms AS expiresAtMs`);
  const forget = ctx.db.delete(revocations).where(lt(revocations.expiresAtMs, nowMs - CLOCK_SKEW_MS));
  const [stored, , ...results] = await commit(ctx, { ...change, statements: [insert, forget, ...change.statements] });
  tokenChecker(ctx).revocations.apply(stored as StoredRevocation[]);
  return results;
}
