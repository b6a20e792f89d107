import { and, eq, sql } from 'drizzle-orm';
import { flavorAccess, flavors } from '../../../db/schema/compute.ts';
import { assertThat, ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import type { Microversion } from '../http/microversion.ts';
import { policy } from '../policy.ts';
import { assertFlavor, flavorNotFound } from './find-flavor.ts';

export interface FlavorAccess {
  flavor_id: string;
  tenant_id: string;
}

const ofFlavor = (ctx: ActorContext, id: string) =>
  and(eq(flavorAccess.region, ctx.region), eq(flavorAccess.flavorId, id));

const accessRead = (ctx: ActorContext, id: string) =>
  ctx.db
    .select({ flavor_id: flavorAccess.flavorId, tenant_id: flavorAccess.projectId })
    .from(flavorAccess)
    .where(ofFlavor(ctx, id))
    .orderBy(flavorAccess.projectId);

/** The projects that may use a private flavor. @throws ApiError 404 no such flavor, or a public one */
export async function listFlavorAccess(ctx: ActorContext, id: string): Promise<FlavorAccess[]> {
  authorize(ctx, policy, 'os_compute_api:os-flavor-access');
  const flavor = ctx.db
    .select({ isPublic: flavors.isPublic })
    .from(flavors)
    .where(and(eq(flavors.region, ctx.region), eq(flavors.id, id)));
  const [[row], access] = await ctx.db.batch([flavor, accessRead(ctx, id)]);
  if (!row) throw flavorNotFound(id);
  if (row.isPublic) throw notFound('Access list not available for public flavors.');
  return access;
}

const flavorIs = (ctx: ActorContext, id: string, isPublic: boolean) =>
  sql`NOT EXISTS (SELECT 1 FROM flavors WHERE region = ${ctx.region} AND id = ${id} AND is_public = ${isPublic ? 0 : 1})`;

/** Before, whoever could use a flavor anyway could be given it, too. */
const PRIVATE_ONLY_SINCE: Microversion = 7;

/** Lets a project use a private flavor. @throws ApiError 404; 409 given already, or from 2.7 a public flavor */
export async function addFlavorAccess(
  ctx: ActorContext,
  id: string,
  projectId: string,
  version: Microversion,
): Promise<FlavorAccess[]> {
  const action = 'os_compute_api:os-flavor-access:add_tenant_access';
  authorize(ctx, policy, action);
  const insertion = ctx.db.insert(flavorAccess).values({ region: ctx.region, flavorId: id, projectId });
  const change = {
    audit: { action, targetType: 'flavor', targetId: id, detail: { projectId } },
    statements: [
      assertFlavor(ctx, id),
      ...(version >= PRIVATE_ONLY_SINCE ? [assertThat(ctx.db, 'private', flavorIs(ctx, id, false))] : []),
      insertion,
      accessRead(ctx, id),
    ],
  };
  try {
    const results = await commitOr(ctx, change, {
      flavor: () => flavorNotFound(id),
      private: () => conflict('Can not add access to a public flavor.'),
    });
    return results.at(-1) as FlavorAccess[];
  } catch (error) {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw conflict(`Flavor access already exists for flavor ${id} and project ${projectId} combination.`);
  }
}

/** Takes a private flavor from a project. @throws ApiError 404 */
export async function removeFlavorAccess(ctx: ActorContext, id: string, projectId: string): Promise<FlavorAccess[]> {
  const action = 'os_compute_api:os-flavor-access:remove_tenant_access';
  authorize(ctx, policy, action);
  const given = sql`EXISTS (SELECT 1 FROM flavor_access WHERE region = ${ctx.region} AND flavor_id = ${id} AND project_id = ${projectId})`;
  const removal = ctx.db.delete(flavorAccess).where(and(ofFlavor(ctx, id), eq(flavorAccess.projectId, projectId)));
  const change = {
    audit: { action, targetType: 'flavor', targetId: id, detail: { projectId } },
    statements: [assertFlavor(ctx, id), assertThat(ctx.db, 'given', given), removal, accessRead(ctx, id)],
  };
  const results = await commitOr(ctx, change, {
    flavor: () => flavorNotFound(id),
    given: () => notFound(`Flavor access not found for ${id} / ${projectId} combination.`),
  });
  return results[3] as FlavorAccess[];
}
