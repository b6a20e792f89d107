import { and, asc, eq, ne, sql } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import type { ActorContext } from '../../http/context.ts';
import { enforce } from '../policy.ts';

export interface Zone {
  name: string;
  resource: 'network' | 'router';
  state: 'available' | 'unavailable';
}

/** The zones of the region's runners, once for networks and once for routers; available with one that is enabled. */
export async function listZones(ctx: ActorContext): Promise<Zone[]> {
  enforce(ctx, 'get_availability_zone');
  const rows = await ctx.db
    .select({ name: runners.zone, enabled: sql<number>`max(${runners.state} = 'enabled')` })
    .from(runners)
    .where(and(eq(runners.region, ctx.region), ne(runners.state, 'removed')))
    .groupBy(runners.zone)
    .orderBy(asc(runners.zone));
  return (['network', 'router'] as const).flatMap((resource) =>
    rows.map(({ name, enabled }) => ({ name, resource, state: enabled ? 'available' : 'unavailable' }) as const),
  );
}
