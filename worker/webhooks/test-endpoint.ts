import { putEvent } from '../events/put-event.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { findEndpoint } from './endpoints.ts';

/**
 * Sends an event of type `webhook.test` to an endpoint, to it alone and whatever its filters.
 * @throws ApiError 403, 404; 409 it is disabled
 */
export async function testEndpoint(ctx: ActorContext, id: string): Promise<void> {
  const { projectId, enabled } = await findEndpoint(ctx, 'webhooks:endpoints:test', id);
  if (!enabled) throw conflict(`Webhook endpoint ${id} is disabled: enable it first.`);
  const data = { id, message: 'This is a test: somebody asked for it.' };
  await commit(ctx, {
    audit: { action: 'webhooks:endpoints:test', targetType: 'webhook-endpoint', targetId: id },
    statements: [putEvent(ctx, { type: 'webhook.test', projectId, resourceId: id, data })],
  });
}
