import type { SQL } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import type { Refusals } from '../http/commit-or.ts';
import { limitsOf, limitsRead, within } from './limits-in-force.ts';

/** What one server may have of a thing, and how Nova refuses more. */
const REFUSED = {
  metadata_items: (limit: number) => `Maximum number of metadata items exceeds ${limit}`,
  injected_files: () => 'Personality file limit exceeded',
  injected_file_path_bytes: (limit: number) => `Personality file path exceeds maximum ${limit}`,
  injected_file_content_bytes: (limit: number) => `Personality file content exceeds maximum ${limit}`,
} as const;
type RequestLimit = keyof typeof REFUSED;
const LIMITS = Object.keys(REFUSED) as RequestLimit[];

const scopeOf = (ctx: ActorContext) => ({ projectId: ctx.actor.projectId ?? '', userId: ctx.actor.userId });

/** Fails the batch (assertions by the limits' names) where a server has more of a thing than one may have. */
export const assertRequestLimits = (
  ctx: ActorContext,
  counts: Partial<Record<RequestLimit, SQL | number>>,
): Statement[] =>
  LIMITS.flatMap((name) => {
    const count = counts[name];
    return count === undefined || count === 0 ? [] : [assertThat(ctx.db, name, within(ctx, scopeOf(ctx), name, count))];
  });

/** What those assertions mean. */
export const requestLimitRefusals = (ctx: ActorContext): Refusals =>
  Object.fromEntries(
    LIMITS.map((name) => [
      name,
      async () => forbidden(REFUSED[name](limitsOf(await limitsRead(ctx, scopeOf(ctx)))[name])),
    ]),
  );
