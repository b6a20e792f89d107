import { eq, sql } from 'drizzle-orm';
import { webhookSecrets } from '../../db/schema/webhooks.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { clearEndpoints } from './clear-endpoints.ts';
import { findEndpoint } from './endpoints.ts';

/**
 * Forgets an endpoint and its secrets. Its deliveries go with it where they are few; else rounds clear them away, and nobody
 * sees them, or the endpoint, meanwhile.
 * @throws ApiError 403, 404
 */
export async function deleteEndpoint(ctx: ActorContext, id: string): Promise<void> {
  const { url } = await findEndpoint(ctx, 'webhooks:endpoints:delete', id);
  const nowMs = ctx.clock.nowMs();
  await commit(ctx, {
    audit: {
      action: 'webhooks:endpoints:delete',
      targetType: 'webhook-endpoint',
      targetId: id,
      detail: { host: new URL(url).host },
    },
    statements: [
      ctx.db.run(sql`
        UPDATE webhook_endpoints SET deleted_at_ms = ${nowMs}, enabled = 0, updated_at_ms = ${nowMs}, due_at_ms = NULL,
          clearing_since_ms = coalesce(clearing_since_ms, ${nowMs}) WHERE id = ${id} AND deleted_at_ms IS NULL`),
      ctx.db.delete(webhookSecrets).where(eq(webhookSecrets.endpointId, id)),
      ...clearEndpoints(ctx, id),
    ],
  });
}
