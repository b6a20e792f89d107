import { and, asc, eq, inArray, isNull, type SQL, sql } from 'drizzle-orm';
import { webhookEndpoints, webhookSecrets } from '../../db/schema/webhooks.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, notFound } from '../http/errors.ts';
import { authorize, isAdmin } from '../http/policy.ts';
import { byBoolean, byText } from '../network/api/filters.ts';
import type { Listing, ListQuery } from '../network/api/listing.ts';
import { targetOf } from './check-target.ts';
import type { EndpointRow } from './claim-deliveries.ts';
import { policy, type WebhookAction } from './policy.ts';
import type { Endpoint } from './views.ts';

export const endpointListing: Listing = {
  table: 'webhook_endpoints',
  filters: {
    id: byText(webhookEndpoints.id),
    project_id: byText(webhookEndpoints.projectId),
    url: byText(webhookEndpoints.url),
    enabled: byBoolean(webhookEndpoints.enabled),
  },
  sortKeys: { id: sql`webhook_endpoints.id`, created_at: sql`webhook_endpoints.created_at_ms` },
};

/** Whose endpoints and events an actor may come by: an admin all the region's, others those of their project. */
export const ownOf = (ctx: ActorContext, projectId: SQL): SQL =>
  isAdmin(ctx) ? sql`1` : sql`${projectId} = ${ctx.actor.projectId}`;

/** A page of endpoints. */
export async function listEndpoints(ctx: ActorContext, query: ListQuery): Promise<Endpoint[]> {
  authorize(ctx, policy, 'webhooks:endpoints:list');
  const own = and(
    eq(webhookEndpoints.region, ctx.region),
    isNull(webhookEndpoints.deletedAtMs),
    ownOf(ctx, sql`webhook_endpoints.project_id`),
    query.where,
  );
  const rows = await ctx.db
    .select()
    .from(webhookEndpoints)
    .where(own)
    .orderBy(...query.orderBy)
    .limit(query.limit);
  const secrets = await secretsOf(
    ctx,
    rows.map((row) => row.id),
  );
  return rows.map((row) => ({ row, secrets: secrets.filter((one) => one.endpointId === row.id) }));
}

/** An endpoint for an action on it. @throws ApiError 403, 404 (also where it is another project's) */
export async function findEndpoint(ctx: ActorContext, action: WebhookAction, id: string): Promise<EndpointRow> {
  const [row] = await ctx.db
    .select()
    .from(webhookEndpoints)
    .where(
      and(eq(webhookEndpoints.region, ctx.region), eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAtMs)),
    );
  const mine = row && (isAdmin(ctx) || (row.projectId !== null && row.projectId === ctx.actor.projectId));
  if (!mine) throw notFound(`Webhook endpoint ${id} could not be found.`);
  authorize(ctx, policy, action, { projectId: row.projectId });
  return row;
}

/** @throws ApiError 403, 404 */
export async function showEndpoint(ctx: ActorContext, id: string): Promise<Endpoint> {
  const row = await findEndpoint(ctx, 'webhooks:endpoints:show', id);
  return { row, secrets: await secretsOf(ctx, [id]) };
}

/** What endpoints sign with now, the oldest first. */
export const secretsOf = (ctx: ActorContext, endpointIds: string[]) =>
  ctx.db
    .select()
    .from(webhookSecrets)
    .where(
      and(
        inArray(webhookSecrets.endpointId, endpointIds),
        sql`(expires_at_ms IS NULL OR expires_at_ms > ${ctx.clock.nowMs()})`,
      ),
    )
    .orderBy(asc(webhookSecrets.createdAtMs));

/** A URL in its usual form. @throws ApiError 400 where webhooks may not go there */
export function checkedUrl(ctx: ActorContext, text: string): string {
  const target = targetOf(text, ctx.env.WEBHOOK_ALLOW);
  if ('problem' in target) throw badRequest(`Webhooks are not sent to this url: ${target.problem}.`);
  return target.url.href;
}
