import { type SQL, sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, ConstraintFailed, type Statement } from '../../http/commit.ts';
import type { AppContext, Context } from '../../http/context.ts';
import { ApiError, badRequest, serviceUnavailable } from '../../http/errors.ts';

/** How often a request reads and plans again after others were quicker. Half of the racers win each time, or more. */
const ATTEMPTS_MAX = 20;
const RETRY_AFTER_S = 1;

/** The name of the assertion that what was read is still so. */
const UNCHANGED = 'unchanged';

/** A statement that fails its batch where another request changed what was read. */
export const assertUnchanged = (ctx: Context, condition: SQL): Statement => assertThat(ctx.db, UNCHANGED, condition);

/** Holds while a row is still of the revision read. @param table - its name, ours */
export const assertRevision = (ctx: Context, table: string, row: { id: string; revision: number }): Statement =>
  assertUnchanged(
    ctx,
    sql`EXISTS (SELECT 1 FROM ${sql.identifier(table)} WHERE id = ${row.id} AND revision = ${row.revision})`,
  );

/**
 * Whether a commit failed only because another request was quicker (an address, a MAC, a port to attach, a network that
 * went away). Read and plan again, a bounded number of times; planning then says what is wrong, if anything.
 */
export function lostRace(error: unknown): boolean {
  if (error instanceof AssertionFailed) return error.assertion === UNCHANGED;
  if (!(error instanceof ConstraintFailed)) return false;
  return /^$|^ip_allocations\.|^networks\.region, networks\.|^ports\.region, ports\.mac_address|^floating_ips\.|^security_groups\.|security_group/.test(
    error.constraint,
  );
}

/**
 * Reads, plans and commits, again where another request was quicker.
 * @throws ApiError 503 when others were quicker every time
 */
export async function whileRacing<T>(attempt: () => Promise<T>): Promise<T> {
  for (let tries = 0; tries < ATTEMPTS_MAX; tries++) {
    try {
      return await attempt();
    } catch (error) {
      if (!lostRace(error)) throw error;
    }
  }
  throw serviceUnavailable('Too many requests change the same thing at once. Try again.', RETRY_AFTER_S);
}

/** The revision that an `If-Match: revision_number=N` header asks for. @throws ApiError 400 for another form of it */
export function expectedRevision(c: AppContext): number | undefined {
  const tags = (c.req.header('if-match') ?? '').split(',').filter((tag) => tag.includes('revision_number='));
  if (tags.length === 0) return undefined;
  const match = /^\s*(?:W\/)?"?revision_number=(\d{1,15})"?\s*$/.exec(tags[0] ?? '');
  const problem =
    tags.length > 1
      ? 'Multiple revision_number etags are not supported.'
      : 'Revision number etag must be in the format of revision_number=<int>';
  if (!match || tags.length > 1) throw badRequest(`Bad if-match request: ${problem}.`, 'BadRequest');
  return Number(match[1]);
}

/** @throws ApiError 412 where the row is of another revision than the client expects */
export function checkRevision(expected: number | undefined, row: { revision: number }): void {
  if (expected === undefined || expected === row.revision) return;
  throw new ApiError(412, `Constrained to ${expected}, but current revision is ${row.revision}`, {
    type: 'RevisionNumberConstraintFailed',
  });
}
