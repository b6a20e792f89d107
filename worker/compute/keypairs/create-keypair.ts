import { sql } from 'drizzle-orm';
import { keypairs } from '../../../db/schema/compute.ts';
import { assertThat, ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict, forbidden } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { within } from '../quotas/limits-in-force.ts';
import { pemFingerprint } from './certificate.ts';
import { type GeneratedKeypair, generateSshKeypair, generateX509Keypair } from './generate-keypair.ts';
import type { KeypairInput } from './schemas.ts';
import { sshFingerprint } from './ssh-key.ts';
import type { KeypairRow } from './views.ts';

const ACTION = 'os_compute_api:os-keypairs:create';
/** Bytes of a certificate's serial number. */
const SERIAL_BYTES = 16;

/**
 * Keeps a public key under a name, or makes a pair and keeps its public half.
 * @returns the row, and the private key of a pair that was made, which is kept nowhere
 * @throws ApiError 400 not a key, 403 another user's or one too many, 409 the name is taken
 */
export async function createKeypair(
  ctx: ActorContext,
  input: KeypairInput,
): Promise<{ row: KeypairRow; privateKey: string | null }> {
  const userId = input.user_id ?? ctx.actor.userId;
  authorize(ctx, policy, ACTION, { userId });
  const type = input.type ?? 'ssh';
  const keys = await keysOf(ctx, input.public_key, type, userId);
  const row: KeypairRow = {
    region: ctx.region,
    userId,
    name: input.name,
    type,
    publicKey: keys.publicKey,
    fingerprint: keys.fingerprint,
    createdAtMs: ctx.clock.nowMs(),
  };
  const count = sql`(SELECT count(*) FROM keypairs WHERE region = ${ctx.region} AND user_id = ${userId}) + 1`;
  const room = within(ctx, { projectId: ctx.actor.projectId ?? '', userId }, 'key_pairs', count);
  const change = {
    audit: {
      action: ACTION,
      targetType: 'keypair',
      targetId: input.name,
      detail: { userId, fingerprint: keys.fingerprint },
    },
    statements: [assertThat(ctx.db, 'room', room), ctx.db.insert(keypairs).values(row)],
  };
  try {
    await commitOr(ctx, change, { room: () => forbidden('Quota exceeded, too many key pairs.') });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw conflict(`Key pair '${input.name}' already exists.`);
    throw error;
  }
  return { row, privateKey: keys.privateKey };
}

async function keysOf(
  ctx: ActorContext,
  publicKey: string | undefined,
  type: 'ssh' | 'x509',
  userId: string,
): Promise<Omit<GeneratedKeypair, 'privateKey'> & { privateKey: string | null }> {
  if (publicKey !== undefined) {
    const fingerprint = type === 'ssh' ? sshFingerprint(publicKey) : pemFingerprint(publicKey);
    return { publicKey, fingerprint, privateKey: null };
  }
  if (type === 'ssh') return generateSshKeypair();
  const serial = Uint8Array.from(ctx.ids.hex().match(/../g)?.slice(0, SERIAL_BYTES) ?? [], (byte) =>
    Number.parseInt(byte, 16),
  );
  return generateX509Keypair(userId, { nowMs: ctx.clock.nowMs(), serial });
}
