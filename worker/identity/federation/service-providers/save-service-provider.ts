import { and, asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { serviceProviders } from '../../../../db/schema/federation.ts';
import { ConstraintFailed, commit } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { given } from '../../../http/given.ts';
import { description } from '../../http/attributes.ts';
import { enabledFilter, textFilters } from '../../http/filters.ts';
import { authorize } from '../../policy.ts';
import { duplicate, missing } from '../names.ts';

const URL_CHARS_MAX = 255;
const PREFIX_CHARS_MAX = 256;

const url = z
  .string()
  .max(URL_CHARS_MAX)
  .regex(/^https?:\/\/[^\s/]+/, 'it is no URL');
const optional = {
  description: description.optional(),
  enabled: z.boolean().optional(),
  relay_state_prefix: z.string().max(PREFIX_CHARS_MAX).optional(),
};

/** `service_provider` of a PUT. */
export const serviceProviderToCreate = z
  .strictObject({ ...optional, auth_url: url, sp_url: url })
  .transform(({ auth_url, sp_url, description, enabled, relay_state_prefix }) => ({
    authUrl: auth_url,
    spUrl: sp_url,
    ...given({ description, enabled, relayStatePrefix: relay_state_prefix }),
  }));

/** `service_provider` of a PATCH: what is there is to be changed. */
export const serviceProviderToUpdate = z
  .strictObject({ ...optional, auth_url: url.optional(), sp_url: url.optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .transform(({ auth_url, sp_url, description, enabled, relay_state_prefix }) =>
    given({ authUrl: auth_url, spUrl: sp_url, description, enabled, relayStatePrefix: relay_state_prefix }),
  );

export type ServiceProviderRow = typeof serviceProviders.$inferSelect;
const is = (id: string) => eq(serviceProviders.id, id);

/** @throws ApiError 403, 404 */
export async function showServiceProvider(ctx: ActorContext, id: string): Promise<ServiceProviderRow> {
  authorize(ctx, 'identity:get_service_provider');
  const [row] = await ctx.db.select().from(serviceProviders).where(is(id));
  return requireRow(row, id);
}

/** @throws ApiError 403 */
export async function listServiceProviders(ctx: ActorContext, query: URLSearchParams): Promise<ServiceProviderRow[]> {
  authorize(ctx, 'identity:list_service_providers');
  return ctx.db
    .select()
    .from(serviceProviders)
    .where(and(enabledFilter(query, serviceProviders.enabled), ...textFilters(query, 'id', serviceProviders.id)))
    .orderBy(asc(serviceProviders.id));
}

/** @throws ApiError 403, 409 */
export async function createServiceProvider(
  ctx: ActorContext,
  input: { id: string } & z.infer<typeof serviceProviderToCreate>,
): Promise<ServiceProviderRow> {
  authorize(ctx, 'identity:create_service_provider');
  const [rows] = await commit(ctx, {
    audit: auditOf('create', input.id),
    statements: [ctx.db.insert(serviceProviders).values(input).returning()],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? duplicate('service_provider', input.id) : error;
  });
  return requireRow((rows as ServiceProviderRow[])[0], input.id);
}

/** @throws ApiError 403, 404 */
export async function updateServiceProvider(
  ctx: ActorContext,
  { id, change }: { id: string; change: z.infer<typeof serviceProviderToUpdate> },
): Promise<ServiceProviderRow> {
  authorize(ctx, 'identity:update_service_provider');
  const [rows] = await commit(ctx, {
    audit: auditOf('update', id),
    statements: [ctx.db.update(serviceProviders).set(change).where(is(id)).returning()],
  });
  return requireRow((rows as ServiceProviderRow[])[0], id);
}

/** @throws ApiError 403, 404 */
export async function deleteServiceProvider(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, 'identity:delete_service_provider');
  const [rows] = await commit(ctx, {
    audit: auditOf('delete', id),
    statements: [ctx.db.delete(serviceProviders).where(is(id)).returning()],
  });
  requireRow((rows as ServiceProviderRow[])[0], id);
}

function requireRow(row: ServiceProviderRow | undefined, id: string): ServiceProviderRow {
  if (!row) throw missing('service_provider', id);
  return row;
}

const auditOf = (how: string, id: string) => ({
  action: `identity:${how}_service_provider`,
  targetType: 'service_provider',
  targetId: id,
});
