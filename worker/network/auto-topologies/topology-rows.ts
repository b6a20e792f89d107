import { and, eq } from 'drizzle-orm';
import { autoTopologies } from '../../../db/schema/auto-topologies.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';

export type TopologyRow = typeof autoTopologies.$inferSelect;

/**
 * The project that is asked about: clients say `None` for their own.
 * @throws ApiError 403 where it is another's
 */
export function projectAsked(ctx: ActorContext, said: string): string {
  const projectId = said === 'None' ? ctx.actor.projectId : said;
  if (projectId === null || (projectId !== ctx.actor.projectId && !isAdmin(ctx))) {
    throw forbidden('Not authorized.', 'NotAuthorized');
  }
  return projectId;
}

/** What a project was given, if anything. */
export async function findTopology(ctx: ActorContext, projectId: string): Promise<TopologyRow | undefined> {
  const [row] = await ctx.db
    .select()
    .from(autoTopologies)
    .where(and(eq(autoTopologies.region, ctx.region), eq(autoTopologies.projectId, projectId)));
  return row;
}

/** A topology in the API's form. */
export const topologyView = (projectId: string, id: string) => ({ id, tenant_id: projectId, project_id: projectId });
