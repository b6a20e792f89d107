import { sql } from 'drizzle-orm';
import { webhookSecrets } from '../../db/schema/webhooks.ts';
import { AssertionFailed, assertThat, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { conflict } from '../http/errors.ts';
import type { Rotation } from './bodies.ts';
import { findEndpoint } from './endpoints.ts';
import { newSecret } from './keys.ts';
import { SECRETS_MAX } from './limits.ts';
import { secretView } from './views.ts';

/**
 * Gives an endpoint a new secret. Those before go on signing beside it for the overlap, so that a receiver can change over
 * without missing anything.
 * @returns the view with `secret` or `public_key`, of which the secret is shown this once
 * @throws ApiError 403, 404; 409 too many sign already
 */
export async function rotateSecret(ctx: ActorContext, id: string, { type, overlap_s }: Rotation) {
  await findEndpoint(ctx, 'webhooks:endpoints:rotate', id);
  const { row, shown } = await newSecret(ctx, id, type);
  const nowMs = ctx.clock.nowMs();
  const endMs = nowMs + overlap_s * 1000;
  const room = sql`(SELECT count(*) FROM webhook_secrets WHERE endpoint_id = ${id}) <= ${SECRETS_MAX}`;
  try {
    await commit(ctx, {
      audit: {
        action: 'webhooks:endpoints:rotate',
        targetType: 'webhook-endpoint',
        targetId: id,
        detail: { type, overlap_s },
      },
      statements: [
        ctx.db.run(sql`
          UPDATE webhook_secrets SET expires_at_ms = ${endMs} WHERE endpoint_id = ${id} AND coalesce(expires_at_ms, ${endMs}) >= ${endMs}`),
        ctx.db.run(sql`DELETE FROM webhook_secrets WHERE endpoint_id = ${id} AND expires_at_ms <= ${nowMs}`),
        ctx.db.insert(webhookSecrets).values(row),
        assertThat(ctx.db, 'room', room),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed)
      throw conflict(`${SECRETS_MAX} secrets sign already: wait until one expires, or rotate with "overlap_s": 0.`);
    throw error;
  }
  return { ...secretView(row), ...shown };
}
