import { eq } from 'drizzle-orm';
import { webhookEndpoints } from '../../db/schema/webhooks.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { findEndpoint } from './endpoints.ts';

/** Forgets an endpoint with its secrets and all its deliveries. @throws ApiError 403, 404 */
export async function deleteEndpoint(ctx: ActorContext, id: string): Promise<void> {
  const { url } = await findEndpoint(ctx, 'webhooks:endpoints:delete', id);
  await commit(ctx, {
    audit: {
      action: 'webhooks:endpoints:delete',
      targetType: 'webhook-endpoint',
      targetId: id,
      detail: { host: new URL(url).host },
    },
    statements: [ctx.db.delete(webhookEndpoints).where(eq(webhookEndpoints.id, id))],
  });
}
