import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertUnchanged } from '../api/races.ts';
import { visibleOf } from '../api/visibility.ts';
import { OBJECTS } from './objects.ts';
import type { ObjectType } from './shared-with.ts';

/** Statements that fail their batch where the actor was let use others' things when they were read, and is not any more. */
export const assertAccess = (
  ctx: ActorContext,
  type: ObjectType,
  things: Iterable<{ id: string; projectId: string }>,
): Statement[] =>
  [...things]
    .filter(({ projectId }) => projectId !== ctx.actor.projectId)
    .map(({ id }) =>
      assertUnchanged(
        ctx,
        sql`EXISTS (SELECT 1 FROM ${sql.identifier(OBJECTS[type].table)} WHERE id = ${id} AND ${visibleOf(ctx, type)})`,
      ),
    );
