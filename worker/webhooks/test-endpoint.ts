import { sql } from 'drizzle-orm';
import { putEvent } from '../events/put-event.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import { lifeOf } from './claim-deliveries.ts';
import { findEndpoint } from './endpoints.ts';
import { TESTS_WAITING_MAX } from './limits.ts';

/**
 * Sends an event of type `webhook.test` to an endpoint, to it alone and whatever its filters.
 * @throws ApiError 403, 404; 409 it is disabled, or has not taken those before
 */
export async function testEndpoint(ctx: ActorContext, id: string): Promise<void> {
  const { projectId, enabled } = await findEndpoint(ctx, 'webhooks:endpoints:test', id);
  if (!enabled) throw conflict(`Webhook endpoint ${id} is disabled: enable it first.`);
  const data = { id, message: 'This is a test: somebody asked for it.' };
  const few = sql`(SELECT count(*) FROM webhook_deliveries INDEXED BY webhook_deliveries_tests
    WHERE endpoint_id = ${id} AND type = 'webhook.test' AND status = 'pending'
      AND life = ${lifeOf(id)})
    < ${TESTS_WAITING_MAX}`;
  try {
    await commit(ctx, {
      audit: { action: 'webhooks:endpoints:test', targetType: 'webhook-endpoint', targetId: id },
      statements: [
        assertThat(ctx.db, 'few', few),
        putEvent(ctx, { type: 'webhook.test', projectId, resourceId: id, data }),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw conflict(`${TESTS_WAITING_MAX} tests wait to be sent to it already.`);
    throw error;
  }
}
