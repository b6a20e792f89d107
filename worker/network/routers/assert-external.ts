import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { assertUnchanged } from '../api/races.ts';
import { visibleNetworks } from '../api/visibility.ts';

/** Statements that fail their batch where networks read as external and open to the actor are not so any more. */
export const assertExternal = (ctx: ActorContext, networkIds: string[]): Statement[] =>
  [...new Set(networkIds)].map((id) =>
    assertUnchanged(
      ctx,
      sql`EXISTS (SELECT 1 FROM networks WHERE id = ${id} AND external = 1 AND ${visibleNetworks(ctx)})`,
    ),
  );
