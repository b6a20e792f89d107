import { and, eq, or, type SQL, sql } from 'drizzle-orm';
import { flavors } from '../../../db/schema/compute.ts';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import type { FlavorRow } from './views.ts';

export const flavorNotFound = (id: string) => notFound(`Flavor ${id} could not be found.`);

/** What the actor may see: public flavors, private ones that their project was given, and for an admin all. */
export function visibleFlavors(ctx: ActorContext): SQL | undefined {
  if (isAdmin(ctx)) return eq(flavors.region, ctx.region);
  const given = sql`EXISTS (SELECT 1 FROM flavor_access a WHERE a.region = flavors.region AND a.flavor_id = flavors.id AND a.project_id = ${ctx.actor.projectId ?? ''})`;
  return and(eq(flavors.region, ctx.region), or(eq(flavors.isPublic, true), given));
}

/** The read of one flavor that the actor may see, for a batch. */
export const flavorRead = (ctx: ActorContext, id: string) =>
  ctx.db
    .select()
    .from(flavors)
    .where(and(visibleFlavors(ctx), eq(flavors.id, id)));

/** A flavor by its id. @throws ApiError 404 */
export async function findFlavor(ctx: ActorContext, id: string): Promise<FlavorRow> {
  const [row] = await flavorRead(ctx, id);
  if (!row) throw flavorNotFound(id);
  return row;
}

/** Holds a change to a flavor that exists: the assertion `flavor`. */
export const assertFlavor = (ctx: ActorContext, id: string): Statement =>
  assertThat(ctx.db, 'flavor', sql`EXISTS (SELECT 1 FROM flavors WHERE region = ${ctx.region} AND id = ${id})`);
