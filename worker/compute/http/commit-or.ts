import { AssertionFailed, type Change, commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

/** What each assertion of a change means to the client when it does not hold; it may read to say it well. */
export type Refusals = Readonly<Record<string, () => Error | Promise<Error>>>;

/**
 * Commits a change, where an assertion that does not hold becomes the error that its name stands for.
 * @returns the results of the change's statements, in order
 */
export async function commitOr(ctx: Context, change: Change, refusals: Refusals): Promise<unknown[]> {
  try {
    return await commit(ctx, change);
  } catch (error) {
    const refusal = error instanceof AssertionFailed ? refusals[error.assertion] : undefined;
    throw refusal ? await refusal() : error;
  }
}
