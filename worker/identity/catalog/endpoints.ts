import { asc, eq, type SQL, sql } from 'drizzle-orm';
import { catalogEndpoints, catalogRegions, projectEndpoints } from '../../../db/schema/catalog.ts';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { expecting } from '../http/faults.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { EndpointToCreate, EndpointToUpdate } from './bodies.ts';
import { type Endpoint, ownEndpoints, ownServices } from './catalog.ts';
import { regionsOf, rootUrlOf } from './catalog-of.ts';
import { notOurs } from './own.ts';
import { CATALOG_CHANGED } from './rows.ts';

const ownOf = (ctx: ActorContext) => ownEndpoints(rootUrlOf(ctx), regionsOf(ctx));

/** The cloud's own and those that were added, whoever asks. */
export async function allEndpoints(ctx: ActorContext): Promise<Endpoint[]> {
  return [...ownOf(ctx), ...(await ctx.db.select().from(catalogEndpoints).orderBy(asc(catalogEndpoints.id)))];
}

/** @throws ApiError 403 */
export async function listEndpoints(ctx: ActorContext): Promise<Endpoint[]> {
  authorize(ctx, 'identity:list_endpoints');
  return allEndpoints(ctx);
}

/** @throws ApiError 403, 404 */
export async function findEndpoint(
  ctx: ActorContext,
  id: string,
  action: 'identity:get_endpoint' | 'identity:update_endpoint' | 'identity:delete_endpoint' = 'identity:get_endpoint',
): Promise<Endpoint> {
  authorize(ctx, action);
  const own = ownOf(ctx).find((endpoint) => endpoint.id === id);
  if (own) return action === 'identity:get_endpoint' ? own : notOurs();
  const [row] = await ctx.db.select().from(catalogEndpoints).where(eq(catalogEndpoints.id, id));
  if (!row) throw missing('endpoint', id);
  return row;
}

/** @throws ApiError 400 (no such service or region), 403 */
export async function createEndpoint(ctx: ActorContext, { row, makeRegion }: EndpointToCreate): Promise<Endpoint> {
  const action = 'identity:create_endpoint';
  authorize(ctx, action);
  const id = ctx.ids.hex();
  const insert = ctx.db
    .insert(catalogEndpoints)
    .values({ ...row, id })
    .returning();
  return store(ctx, { action, id, detail: { url: row.url }, place: { ...row, makeRegion } }, insert);
}

/** @throws ApiError 400, 403, 404 */
export async function updateEndpoint(
  ctx: ActorContext,
  id: string,
  { id: bodyId, change, makeRegion }: EndpointToUpdate,
): Promise<Endpoint> {
  const action = 'identity:update_endpoint';
  const endpoint = await findEndpoint(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change endpoint ID');
  const update = ctx.db
    .update(catalogEndpoints)
    .set({ ...change, extra: merged(endpoint.extra, change.extra) })
    .where(eq(catalogEndpoints.id, id))
    .returning();
  const detail = { changed: Object.keys(change) };
  return store(ctx, { action, id, detail, place: { ...change, makeRegion } }, update);
}

/** @throws ApiError 403, 404 */
export async function deleteEndpoint(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_endpoint';
  await findEndpoint(ctx, id, action);
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'endpoint', targetId: id },
      statements: [
        ctx.db.delete(projectEndpoints).where(eq(projectEndpoints.endpointId, id)),
        ctx.db.delete(catalogEndpoints).where(eq(catalogEndpoints.id, id)),
      ],
    },
    [CATALOG_CHANGED],
  );
}

interface Place {
  serviceId?: string;
  regionId?: string | null;
  makeRegion: boolean;
}

async function store(
  ctx: ActorContext,
  of: { action: string; id: string; detail: Record<string, unknown>; place: Place },
  write: Statement,
): Promise<Endpoint> {
  const { action, id, detail, place } = of;
  const { db } = ctx;
  const own = place.regionId !== undefined && place.regionId !== null && regionsOf(ctx).includes(place.regionId);
  const region: Statement[] =
    place.makeRegion && place.regionId && !own
      ? [db.insert(catalogRegions).values({ id: place.regionId }).onConflictDoNothing()]
      : [];
  try {
    const results = await commitRevoking(
      ctx,
      {
        audit: { action, targetType: 'endpoint', targetId: id, detail },
        statements: [
          ...region,
          assertThat(db, 'service', serviceExists(place.serviceId)),
          assertThat(
            db,
            'region',
            own || !place.regionId ? sql`1` : sql`EXISTS (SELECT 1 FROM catalog_regions WHERE id = ${place.regionId})`,
          ),
          write,
        ],
      },
      [CATALOG_CHANGED],
    );
    const stored = (results.at(-1) as Endpoint[])[0];
    if (!stored) throw missing('endpoint', id);
    return stored;
  } catch (error) {
    if (!(error instanceof AssertionFailed)) throw error;
    throw expecting(`endpoint ${error.assertion}_id`, `${error.assertion} table`);
  }
}

const serviceExists = (id: string | undefined): SQL =>
  id === undefined || ownServices.some((service) => service.id === id)
    ? sql`1`
    : sql`EXISTS (SELECT 1 FROM catalog_services WHERE id = ${id})`;
