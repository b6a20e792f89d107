import { and, eq, isNull } from 'drizzle-orm';
import { webhookEndpoints } from '../../db/schema/webhooks.ts';
import { ConstraintFailed, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { given } from '../http/given.ts';
import type { EndpointPatch } from './bodies.ts';
import type { EndpointRow } from './claim-deliveries.ts';
import { clearEndpoints } from './clear-endpoints.ts';
import { refuseUntold, twin } from './create-endpoint.ts';
import { checkedUrl, findEndpoint, secretsOf } from './endpoints.ts';
import type { Endpoint } from './views.ts';

/**
 * Changes an endpoint. What waits for it goes to the new URL; what waits for one that is disabled is given up, a part a round,
 * and can be replayed. One that is enabled again is as good as new.
 * @throws ApiError 400, 403, 404; 409 another has this URL
 */
export async function updateEndpoint(ctx: ActorContext, id: string, patch: EndpointPatch): Promise<Endpoint> {
  const row = await findEndpoint(ctx, 'webhooks:endpoints:update', id);
  const nowMs = ctx.clock.nowMs();
  const { events, description, enabled } = patch;
  const url = patch.url === undefined ? undefined : checkedUrl(ctx, patch.url);
  // Nothing but what is said: what was read may have changed since, as by an answer of 410.
  const change: Partial<EndpointRow> = {
    ...given({ url, events, description, enabled }),
    updatedAtMs: nowMs,
    ...(enabled === undefined ? {} : switched(row, enabled, nowMs)),
  };
  const changed: EndpointRow = { ...row, ...change };
  refuseUntold(changed);
  try {
    await commit(ctx, {
      audit: {
        action: 'webhooks:endpoints:update',
        targetType: 'webhook-endpoint',
        targetId: id,
        detail: { host: new URL(changed.url).host, events, enabled },
      },
      statements: [
        ctx.db
          .update(webhookEndpoints)
          .set(change)
          .where(and(eq(webhookEndpoints.id, id), isNull(webhookEndpoints.deletedAtMs))),
        ...(enabled === false ? clearEndpoints(ctx, id) : []),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw await twin(ctx, changed);
    throw error;
  }
  return { row: changed, secrets: await secretsOf(ctx, [id]) };
}

function switched(row: EndpointRow, enabled: boolean, nowMs: number): Partial<EndpointRow> {
  // It may have been ended since it was read: what is said of that goes in any case.
  if (enabled && row.enabled) return { disabledReason: null, disabledAtMs: null };
  if (enabled === row.enabled) return {};
  return enabled
    ? { disabledReason: null, disabledAtMs: null, failingSinceMs: null, pausedUntilMs: null }
    : { disabledReason: 'asked', disabledAtMs: nowMs };
}
