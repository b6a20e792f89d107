import { and, asc, eq } from 'drizzle-orm';
import { endpointGroups } from '../../../db/schema/catalog.ts';
import type { ActorContext } from '../../http/context.ts';
import { CATALOG_CHANGED } from '../catalog/rows.ts';
import { textFilters } from '../http/filters.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import type { GroupToCreate, GroupToUpdate } from './endpoint-group-body.ts';

export type EndpointGroupRow = typeof endpointGroups.$inferSelect;

/** @throws ApiError 403 */
export async function listEndpointGroups(ctx: ActorContext, query: URLSearchParams): Promise<EndpointGroupRow[]> {
  authorize(ctx, 'identity:list_endpoint_groups');
  return ctx.db
    .select()
    .from(endpointGroups)
    .where(and(...textFilters(query, 'name', endpointGroups.name)))
    .orderBy(asc(endpointGroups.id));
}

/** @throws ApiError 403, 404 */
export async function findEndpointGroup(
  ctx: ActorContext,
  id: string,
  action: Action = 'identity:get_endpoint_group',
): Promise<EndpointGroupRow> {
  authorize(ctx, action);
  const [row] = await ctx.db.select().from(endpointGroups).where(eq(endpointGroups.id, id));
  if (!row) throw missing('Endpoint Group', id);
  return row;
}

/** @throws ApiError 403 */
export async function createEndpointGroup(ctx: ActorContext, input: GroupToCreate): Promise<EndpointGroupRow> {
  const action = 'identity:create_endpoint_group';
  authorize(ctx, action);
  const id = ctx.ids.hex();
  const insert = ctx.db
    .insert(endpointGroups)
    .values({ ...input, id })
    .returning();
  const audit = { action, targetType: 'endpoint-group', targetId: id, detail: { name: input.name } };
  const [rows] = await commitRevoking(ctx, { audit, statements: [insert] }, [CATALOG_CHANGED]);
  return (rows as EndpointGroupRow[])[0] as EndpointGroupRow;
}

/** @throws ApiError 403, 404 */
export async function updateEndpointGroup(
  ctx: ActorContext,
  id: string,
  change: GroupToUpdate,
): Promise<EndpointGroupRow> {
  const action = 'identity:update_endpoint_group';
  await findEndpointGroup(ctx, id, action);
  const update = ctx.db.update(endpointGroups).set(change).where(eq(endpointGroups.id, id)).returning();
  const audit = { action, targetType: 'endpoint-group', targetId: id, detail: { changed: Object.keys(change) } };
  const [rows] = await commitRevoking(ctx, { audit, statements: [update] }, [CATALOG_CHANGED]);
  const updated = (rows as EndpointGroupRow[])[0];
  if (!updated) throw missing('Endpoint Group', id);
  return updated;
}

/** @throws ApiError 403, 404 */
export async function deleteEndpointGroup(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_endpoint_group';
  await findEndpointGroup(ctx, id, action);
  const statements = [ctx.db.delete(endpointGroups).where(eq(endpointGroups.id, id))];
  const audit = { action, targetType: 'endpoint-group', targetId: id };
  await commitRevoking(ctx, { audit, statements }, [CATALOG_CHANGED]);
}

/** An endpoint group as the API shows it. */
export const endpointGroupView = (baseUrl: string, { id, name, description, filters }: EndpointGroupRow) => ({
  id,
  name,
  description,
  filters,
  links: { self: `${baseUrl}/identity/v3/OS-EP-FILTER/endpoint_groups/${id}` },
});
