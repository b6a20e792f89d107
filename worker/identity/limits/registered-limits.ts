import { and, asc, eq, type SQL, sql } from 'drizzle-orm';
import { registeredLimits } from '../../../db/schema/catalog.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden, notFound } from '../../http/errors.ts';
import { ownServices } from '../catalog/catalog.ts';
import { regionsOf } from '../catalog/catalog-of.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { expecting } from '../http/faults.ts';
import { textFilters } from '../http/filters.ts';
import { taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { RegisteredLimitsToCreate, RegisteredLimitToUpdate } from './limit-body.ts';

export type RegisteredLimitRow = typeof registeredLimits.$inferSelect;

const noLimit = (id: string) => notFound(`Could not find registered limit for ${id}.`);

/** @throws ApiError 403 */
export async function listRegisteredLimits(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<RegisteredLimitRow[]> {
  authorize(ctx, 'identity:list_registered_limits');
  return ctx.db
    .select()
    .from(registeredLimits)
    .where(and(...resourceFilters(query), afterMarker(registeredLimits.id, page)))
    .orderBy(asc(registeredLimits.id))
    .limit(page.limit + 1);
}

/** The filters by what is limited. */
export const resourceFilters = (query: URLSearchParams): SQL[] => [
  ...textFilters(query, 'service_id', registeredLimits.serviceId),
  ...textFilters(query, 'region_id', registeredLimits.regionId),
  ...textFilters(query, 'resource_name', registeredLimits.resourceName),
];

/** @throws ApiError 403, 404 */
export async function findRegisteredLimit(
  ctx: ActorContext,
  id: string,
  action:
    | 'identity:get_registered_limit'
    | 'identity:update_registered_limit'
    | 'identity:delete_registered_limit' = 'identity:get_registered_limit',
): Promise<RegisteredLimitRow> {
  authorize(ctx, action);
  const [row] = await ctx.db.select().from(registeredLimits).where(eq(registeredLimits.id, id));
  if (!row) throw noLimit(id);
  return row;
}

/** All of them or none. @throws ApiError 400 (no such service or region), 403, 409 */
export async function createRegisteredLimits(
  ctx: ActorContext,
  input: RegisteredLimitsToCreate,
): Promise<RegisteredLimitRow[]> {
  const action = 'identity:create_registered_limits';
  authorize(ctx, action);
  const rows = input.map((one) => ({ ...one, id: ctx.ids.hex() }));
  const insert = ctx.db.insert(registeredLimits).values(rows).returning();
  const audit = { action, targetType: 'registered-limit', targetId: rows[0]?.id ?? '', detail: { limits: rows } };
  const results = await store(ctx, audit, [...rows.flatMap((row) => exist(ctx, row)), insert]);
  return results.at(-1) as RegisteredLimitRow[];
}

/** @throws ApiError 400, 403 (also: there are limits of it), 404, 409 */
export async function updateRegisteredLimit(
  ctx: ActorContext,
  id: string,
  change: RegisteredLimitToUpdate,
): Promise<RegisteredLimitRow> {
  const action = 'identity:update_registered_limit';
  await findRegisteredLimit(ctx, id, action);
  // What a limit is of stays, as long as there are limits of it.
  const renames = ['serviceId', 'regionId', 'resourceName'].some((key) => key in change);
  const update = ctx.db.update(registeredLimits).set(change).where(eq(registeredLimits.id, id)).returning();
  const audit = { action, targetType: 'registered-limit', targetId: id, detail: { changed: Object.keys(change) } };
  const statements = [...(renames ? [unused(ctx, id)] : []), ...exist(ctx, change), update];
  const updated = ((await store(ctx, audit, statements, id)).at(-1) as RegisteredLimitRow[])[0];
  if (!updated) throw noLimit(id);
  return updated;
}

/** @throws ApiError 403 (also: there are limits of it), 404 */
export async function deleteRegisteredLimit(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_registered_limit';
  await findRegisteredLimit(ctx, id, action);
  const statements = [unused(ctx, id), ctx.db.delete(registeredLimits).where(eq(registeredLimits.id, id))];
  await store(ctx, { action, targetType: 'registered-limit', targetId: id }, statements, id);
}

async function store(
  ctx: ActorContext,
  audit: Parameters<typeof commit>[1]['audit'],
  statements: Statement[],
  id = '',
): Promise<unknown[]> {
  try {
    return await commit(ctx, { audit, statements });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw taken('registered_limit', 'Duplicate entry');
    if (!(error instanceof AssertionFailed)) throw error;
    if (error.assertion !== 'unused') throw expecting(error.assertion, 'registered_limit');
    throw forbidden(
      `Unable to update or delete registered limit ${id} because there are project limits associated with it.`,
    );
  }
}

const unused = ({ db }: ActorContext, id: string): Statement =>
  assertThat(db, 'unused', sql`NOT EXISTS (SELECT 1 FROM limits WHERE registered_limit_id = ${id})`);

/** That there are the service and the region. */
function exist(ctx: ActorContext, { serviceId, regionId }: { serviceId?: string; regionId?: string }): Statement[] {
  const ownService = serviceId === undefined || ownServices.some(({ id }) => id === serviceId);
  const ownRegion = !regionId || regionsOf(ctx).includes(regionId);
  const there = (table: string, id: string | undefined) =>
    sql`EXISTS (SELECT 1 FROM ${sql.identifier(table)} WHERE id = ${id})`;
  return [
    ...(ownService ? [] : [assertThat(ctx.db, 'service_id', there('catalog_services', serviceId))]),
    ...(ownRegion ? [] : [assertThat(ctx.db, 'region_id', there('catalog_regions', regionId))]),
  ];
}
