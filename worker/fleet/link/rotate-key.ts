import { eq } from 'drizzle-orm';
import { runners } from '../../../db/schema/fleet.ts';
import { type RunnerMessageOf, rotateText } from '../../../shared/protocol/messages.ts';
import { commit } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { signedBy } from './hello.ts';
import type { SessionData } from './session.ts';

/**
 * Replaces a runner's key by one that the old key signed.
 * @returns whether the signature was good
 */
export async function rotateKey(
  ctx: Context,
  data: SessionData,
  rotated: RunnerMessageOf<'rotated'>,
): Promise<boolean> {
  const [row] = await ctx.db
    .select({ publicKey: runners.publicKey })
    .from(runners)
    .where(eq(runners.id, data.runnerId))
    .limit(1);
  if (!row) return false;
  if (row.publicKey === rotated.public_key) return true;
  if (
    !(await signedBy(
      row.publicKey,
      rotated.signature,
      rotateText({ nonce: data.nonce, runner_id: data.runnerId, public_key: rotated.public_key }),
    ))
  )
    return false;
  await commit(ctx, {
    audit: {
      action: 'fleet:runners:rotated',
      targetType: 'runner',
      targetId: data.runnerId,
      actor: { type: 'runner', id: data.runnerId },
    },
    statements: [
      ctx.db
        .update(runners)
        .set({ publicKey: rotated.public_key, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(runners.id, data.runnerId)),
    ],
  });
  return true;
}
