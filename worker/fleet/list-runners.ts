import { and, asc, eq, ne } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { policy } from './policy.ts';
import { selectRunners } from './runner-rows.ts';
import { runnerView } from './views.ts';

const LISTED_MAX = 5000;

/** The region's runners by name, removed ones left out. */
export async function listRunners(ctx: ActorContext) {
  authorize(ctx, policy, 'fleet:runners:list');
  const rows = await selectRunners(ctx)
    .where(and(eq(runners.region, ctx.region), ne(runners.state, 'removed')))
    .orderBy(asc(runners.name))
    .limit(LISTED_MAX);
  return rows.map((row) => runnerView(row, ctx.clock.nowMs()));
}
