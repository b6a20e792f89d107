import { ApiError } from '../../http/errors.ts';

/**
 * Does something to each, whatever becomes of the others. What an API refuses has moved on: the next round looks again.
 * @throws the first failure that is none of these, once all were tried
 */
export async function eachApart<T>(all: readonly T[], act: (one: T) => Promise<void>): Promise<void> {
  const failed: unknown[] = [];
  for (const one of all) {
    try {
      await act(one);
    } catch (error) {
      if (!(error instanceof ApiError)) failed.push(error);
    }
  }
  if (failed.length > 0) throw failed[0];
}
