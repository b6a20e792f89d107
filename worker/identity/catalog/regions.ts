import { asc, eq, type SQL, sql } from 'drizzle-orm';
import { catalogRegions } from '../../../db/schema/catalog.ts';
import { AssertionFailed, assertThat, ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { missing, taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { RegionBody } from './bodies.ts';
import { ownRegion, type Region } from './catalog.ts';
import { regionsOf } from './catalog-of.ts';
import { notOurs } from './own.ts';
import { CATALOG_CHANGED } from './rows.ts';

/** @throws ApiError 403 */
export async function listRegions(ctx: ActorContext): Promise<Region[]> {
  authorize(ctx, 'identity:list_regions');
  const rows = await ctx.db.select().from(catalogRegions).orderBy(asc(catalogRegions.id));
  const own = regionsOf(ctx);
  return [...own.map(ownRegion), ...rows.filter(({ id }) => !own.includes(id))];
}

/** @throws ApiError 403, 404 */
export async function findRegion(
  ctx: ActorContext,
  id: string,
  action: 'identity:get_region' | 'identity:update_region' | 'identity:delete_region' = 'identity:get_region',
): Promise<Region> {
  authorize(ctx, action);
  if (regionsOf(ctx).includes(id)) return action === 'identity:get_region' ? ownRegion(id) : notOurs();
  const [row] = await ctx.db.select().from(catalogRegions).where(eq(catalogRegions.id, id));
  if (!row) throw missing('region', id);
  return row;
}

/** @throws ApiError 403, 404 (no such parent), 409 */
export async function createRegion(ctx: ActorContext, { id: asked, change }: RegionBody): Promise<Region> {
  const action = 'identity:create_region';
  authorize(ctx, action);
  const id = asked ?? ctx.ids.hex();
  const duplicate = () => taken('region', `Duplicate ID, ${id}.`);
  if (regionsOf(ctx).includes(id)) throw duplicate();
  try {
    const results = await commitRevoking(
      ctx,
      {
        audit: { action, targetType: 'region', targetId: id },
        statements: [
          assertThat(ctx.db, 'parent', exists(ctx, change.parentRegionId)),
          ctx.db
            .insert(catalogRegions)
            .values({ ...change, id })
            .returning(),
        ],
      },
      [CATALOG_CHANGED],
    );
    return (results[1] as Region[])[0] as Region;
  } catch (error) {
    if (error instanceof ConstraintFailed) throw duplicate();
    if (error instanceof AssertionFailed) throw missing('region', change.parentRegionId ?? '');
    throw error;
  }
}

/** @throws ApiError 400 (another id, or a circle of regions), 403, 404 */
export async function updateRegion(ctx: ActorContext, id: string, { id: bodyId, change }: RegionBody): Promise<Region> {
  const action = 'identity:update_region';
  const region = await findRegion(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change region ID');
  const { parentRegionId } = change;
  const update = ctx.db
    .update(catalogRegions)
    .set({ ...change, extra: merged(region.extra, change.extra) })
    .where(eq(catalogRegions.id, id))
    .returning();
  try {
    const results = await commitRevoking(
      ctx,
      {
        audit: { action, targetType: 'region', targetId: id, detail: { changed: Object.keys(change) } },
        statements: [
          assertThat(ctx.db, 'parent', exists(ctx, parentRegionId)),
          assertThat(ctx.db, 'circle', sql`${parentRegionId ?? ''} NOT IN ${idsFrom(id)}`),
          update,
        ],
      },
      [CATALOG_CHANGED],
    );
    const updated = (results[2] as Region[])[0];
    if (!updated) throw missing('region', id);
    return updated;
  } catch (error) {
    if (!(error instanceof AssertionFailed)) throw error;
    if (error.assertion === 'parent') throw missing('region', parentRegionId ?? '');
    throw badRequest(`The specified parent region ${parentRegionId} would create a circular region hierarchy.`);
  }
}

/** Deletes a region with those below it, unless an endpoint is in one of them. @throws ApiError 403, 404 */
export async function deleteRegion(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_region';
  await findRegion(ctx, id, action);
  const unused = sql`NOT EXISTS (SELECT 1 FROM catalog_endpoints WHERE region_id IN ${idsFrom(id)})`;
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'region', targetId: id },
      statements: [
        assertThat(ctx.db, 'unused', unused),
        ctx.db.run(sql`DELETE FROM catalog_regions WHERE id IN ${idsFrom(id)}`),
      ],
    },
    [CATALOG_CHANGED],
  ).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed)) throw error;
    throw forbidden(`Unable to delete region ${id} because it or its child regions have associated endpoints.`);
  });
}

const exists = (ctx: ActorContext, id: string | null | undefined): SQL =>
  !id || regionsOf(ctx).includes(id) ? sql`1` : sql`EXISTS (SELECT 1 FROM catalog_regions WHERE id = ${id})`;

/** A subquery: a region and all below it. */
const idsFrom = (id: string): SQL => sql`(WITH RECURSIVE below(id) AS (
    SELECT ${id} UNION SELECT catalog_regions.id FROM catalog_regions JOIN below ON parent_region_id = below.id
  ) SELECT below.id FROM below)`;
