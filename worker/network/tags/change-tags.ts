import { eq, sql } from 'drizzle-orm';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { assertRevision, whileRacing } from '../api/races.ts';
import { TAGS_MAX } from './tag-values.ts';
import type { Tagged } from './tagged.ts';

/**
 * Changes a resource's tags.
 * @param change - the new tags, from those it has
 * @returns the new tags
 * @throws ApiError 400 too many, 403 not allowed, 404 not seen, and what `change` throws
 */
export function changeTags(
  ctx: ActorContext,
  tagged: Tagged,
  { id, change }: { id: string; change: (tags: string[]) => string[] },
): Promise<string[]> {
  return whileRacing(async () => {
    const row = await tagged.showToChange(ctx, id);
    const tags = [...new Set(change(row.tags))];
    if (tags.length > TAGS_MAX) {
      const problem = `The number of tags exceed the per-resource limit of ${TAGS_MAX}`;
      throw badRequest(`Bad ${tagged.kind} request: ${problem}.`, 'BadRequest');
    }
    await commit(ctx, {
      audit: { action: `update_${tagged.kind}_tags`, targetType: tagged.kind, targetId: id, detail: { tags } },
      statements: [
        assertRevision(ctx, tagged.name, row),
        ctx.db
          .update(tagged.table)
          .set({ tags, revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
          .where(eq(tagged.table.id, id)),
      ],
    });
    return tags;
  });
}
