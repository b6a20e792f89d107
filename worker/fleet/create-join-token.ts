import { z } from 'zod';
import { joinTokens } from '../../db/schema/fleet.ts';
import { sha256Hex, toHex } from '../../shared/digest.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { authorize } from '../http/policy.ts';
import { policy } from './policy.ts';
import { joinTokenView } from './views.ts';

const LIFE_DEFAULT_S = 3600;
const LIFE_MAX_S = 30 * 24 * 3600;
const TOKEN_BYTES = 24;

export const zoneName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);
export const joinTokenBody = z.strictObject({
  join_token: z
    .strictObject({
      expires_in_s: z.int().min(1).max(LIFE_MAX_S).default(LIFE_DEFAULT_S),
      zone: zoneName.default('nova'),
    })
    .prefault({}),
});

/**
 * Makes a token that lets one machine join, once, until it expires. Only its hash is kept.
 * @returns the view with `token`, which is shown this once
 */
export async function createJoinToken(ctx: ActorContext, { join_token }: z.infer<typeof joinTokenBody>) {
  authorize(ctx, policy, 'fleet:join-tokens:create');
  const token = `aj1.${toHex(crypto.getRandomValues(new Uint8Array(TOKEN_BYTES)))}`;
  const now = ctx.clock.nowMs();
  const row: typeof joinTokens.$inferSelect = {
    id: ctx.ids.uuid(),
    region: ctx.region,
    tokenHash: await sha256Hex(token),
    zone: join_token.zone,
    createdBy: ctx.actor.userId,
    createdAtMs: now,
    expiresAtMs: now + join_token.expires_in_s * 1000,
    usedAtMs: null,
    usedByRunnerId: null,
  };
  await commit(ctx, {
    audit: {
      action: 'fleet:join-tokens:create',
      targetType: 'join-token',
      targetId: row.id,
      detail: { zone: row.zone },
    },
    statements: [ctx.db.insert(joinTokens).values(row)],
  });
  return { ...joinTokenView(row), token };
}
