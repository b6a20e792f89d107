import { and, eq, isNull, type SQL, sql } from 'drizzle-orm';
import { webhookEndpoints, webhookSecrets } from '../../db/schema/webhooks.ts';
import { EVENT_TYPES, typesOf } from '../../shared/event-types.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, conflict } from '../http/errors.ts';
import { authorize, requireProject } from '../http/policy.ts';
import type { NewEndpoint } from './bodies.ts';
import type { EndpointRow } from './claim-deliveries.ts';
import { checkedUrl } from './endpoints.ts';
import { newSecret } from './keys.ts';
import { PROJECT_ENDPOINTS_MAX, REGION_ENDPOINTS_MAX } from './limits.ts';
import { policy } from './policy.ts';
import { endpointView } from './views.ts';

/**
 * Has a URL told of events from now on.
 * @returns the view with `secret` or `public_key`, of which the secret is shown this once
 * @throws ApiError 400 a URL that webhooks may not go to, or events that it would never be told of; 403; 409 it is there
 *   already, or there are too many
 */
export async function createEndpoint(ctx: ActorContext, input: NewEndpoint) {
  const regional = input.scope === 'region';
  authorize(ctx, policy, regional ? 'webhooks:endpoints:create-regional' : 'webhooks:endpoints:create');
  const row = rowOf(ctx, input, regional ? null : requireProject(ctx).actor.projectId);
  refuseUntold(row);
  const { row: secret, shown } = await newSecret(ctx, row.id, input.secret_type);
  const max = regional ? REGION_ENDPOINTS_MAX : PROJECT_ENDPOINTS_MAX;
  const room = sql`(SELECT count(*) FROM webhook_endpoints WHERE ${siblings(row)}) <= ${max}`;
  const { url, events } = row;
  try {
    await commit(ctx, {
      audit: {
        action: 'webhooks:endpoints:create',
        targetType: 'webhook-endpoint',
        targetId: row.id,
        detail: { scope: input.scope, host: new URL(url).host, events },
      },
      statements: [
        ctx.db.insert(webhookEndpoints).values(row),
        // After the insert, so that one that is there already is told as that.
        assertThat(ctx.db, 'room', room),
        ctx.db.insert(webhookSecrets).values(secret),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw await twin(ctx, row);
    if (error instanceof AssertionFailed) throw conflict(`There are ${max} webhook endpoints, the most there can be.`);
    throw error;
  }
  ctx.webhooks.watch();
  return { ...endpointView({ row, secrets: [secret] }), ...shown };
}

function rowOf(ctx: ActorContext, input: NewEndpoint, projectId: string | null): EndpointRow {
  const nowMs = ctx.clock.nowMs();
  const { description, events, enabled } = input;
  return {
    ...{
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId,
      url: checkedUrl(ctx, input.url),
      description,
      events,
      enabled,
    },
    disabledReason: enabled ? null : 'asked',
    disabledAtMs: enabled ? null : nowMs,
    ...{ failingSinceMs: null, pausedUntilMs: null, dueAtMs: null, life: 0, clearingSinceMs: null, deletedAtMs: null },
    ...{ createdBy: ctx.actor.userId, createdAtMs: nowMs, updatedAtMs: nowMs },
  };
}

/** @throws ApiError 400 where a filter lets through what only the operator is told, and this is a project's */
export function refuseUntold({ projectId, events }: Pick<EndpointRow, 'projectId' | 'events'>): void {
  if (projectId !== null) {
    const untold = events.find((filter) => typesOf(filter).every((type) => EVENT_TYPES[type].scope === 'region'));
    if (untold) throw badRequest(`A project is not told of ${untold}: an operator is, by an endpoint of scope region.`);
  }
}

/** All of the project, or of the region's operator. */
const siblings = ({ region, projectId }: EndpointRow): SQL | undefined =>
  and(
    eq(webhookEndpoints.region, region),
    isNull(webhookEndpoints.deletedAtMs),
    projectId === null ? isNull(webhookEndpoints.projectId) : eq(webhookEndpoints.projectId, projectId),
  );

/** A refusal that names the endpoint that is there. */
export async function twin(ctx: ActorContext, row: EndpointRow) {
  const [other] = await ctx.db
    .select({ id: webhookEndpoints.id })
    .from(webhookEndpoints)
    .where(and(siblings(row), eq(webhookEndpoints.url, row.url)));
  return conflict(`Webhook endpoint ${other?.id ?? ''} has this url already: change that one, or delete it first.`);
}
