import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';

/** Statements that end every task of the region's servers whose deadline has passed. */
export function expireTasks(_ctx: Context): Statement[] {
  return [];
}
