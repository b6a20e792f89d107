import { asc, eq } from 'drizzle-orm';
import { catalogEndpoints, catalogServices } from '../../../db/schema/catalog.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { merged } from '../http/attributes.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { ServiceToCreate, ServiceToUpdate } from './bodies.ts';
import { ownServices, type Service } from './catalog.ts';
import { notOurs } from './own.ts';
import { CATALOG_CHANGED } from './rows.ts';

/** @throws ApiError 403 */
export async function listServices(ctx: ActorContext): Promise<Service[]> {
  authorize(ctx, 'identity:list_services');
  return [...ownServices, ...(await ctx.db.select().from(catalogServices).orderBy(asc(catalogServices.id)))];
}

/** @throws ApiError 403, 404 */
export async function findService(
  ctx: ActorContext,
  id: string,
  action: 'identity:get_service' | 'identity:update_service' | 'identity:delete_service' = 'identity:get_service',
): Promise<Service> {
  authorize(ctx, action);
  const own = ownServices.find((service) => service.id === id);
  if (own) return action === 'identity:get_service' ? own : notOurs();
  const [row] = await ctx.db.select().from(catalogServices).where(eq(catalogServices.id, id));
  if (!row) throw missing('service', id);
  return row;
}

/** @throws ApiError 403 */
export async function createService(ctx: ActorContext, input: ServiceToCreate): Promise<Service> {
  const action = 'identity:create_service';
  authorize(ctx, action);
  const id = ctx.ids.hex();
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'service', targetId: id, detail: { type: input.type } },
      statements: [
        ctx.db
          .insert(catalogServices)
          .values({ ...input, id })
          .returning(),
      ],
    },
    [CATALOG_CHANGED],
  );
  return (rows as Service[])[0] as Service;
}

/** @throws ApiError 400, 403, 404 */
export async function updateService(
  ctx: ActorContext,
  id: string,
  { id: bodyId, change }: ServiceToUpdate,
): Promise<Service> {
  const action = 'identity:update_service';
  const service = await findService(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change service ID');
  const update = ctx.db
    .update(catalogServices)
    .set({ ...change, extra: merged(service.extra, change.extra) })
    .where(eq(catalogServices.id, id))
    .returning();
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'service', targetId: id, detail: { changed: Object.keys(change) } },
      statements: [update],
    },
    [CATALOG_CHANGED],
  );
  const updated = (rows as Service[])[0];
  if (!updated) throw missing('service', id);
  return updated;
}

/** Deletes a service with its endpoints. @throws ApiError 403, 404 */
export async function deleteService(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_service';
  await findService(ctx, id, action);
  await commitRevoking(
    ctx,
    {
      audit: { action, targetType: 'service', targetId: id },
      statements: [
        ctx.db.delete(catalogEndpoints).where(eq(catalogEndpoints.serviceId, id)),
        ctx.db.delete(catalogServices).where(eq(catalogServices.id, id)),
      ],
    },
    [CATALOG_CHANGED],
  );
}
