import { and, eq, sql } from 'drizzle-orm';
import { z } from 'zod';
import { joinTokens, runners } from '../../db/schema/fleet.ts';
import { sha256Hex } from '../../shared/digest.ts';
import { capacity } from '../../shared/protocol/messages.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { conflict, unauthorized } from '../http/errors.ts';
import { intranetOfNewHost } from '../network/intranet/wishes.ts';
import { capacityColumns } from './capacity.ts';

export const enrolBody = z.object({
  token: z.string().max(128),
  name: z.string().regex(/^[A-Za-z0-9]([A-Za-z0-9.-]{0,253}[A-Za-z0-9])?$/, 'a host name'),
  /** Ed25519, 32 raw bytes, base64url. */
  public_key: z.string().regex(/^[A-Za-z0-9_-]{43}$/, '32 bytes in base64url'),
  machine_id: z.string().min(1).max(128),
  capacity,
  hypervisor: z.string().max(64),
  version: z.string().max(64),
});

/**
 * Lets a machine join, by a one-time token. The same machine asking again with the same key and token (its answer was
 * lost) gets the same answer.
 * @throws ApiError 401 token unknown, used or expired; 409 the name is taken
 */
export async function enrolRunner(
  ctx: Context,
  input: z.infer<typeof enrolBody>,
): Promise<{ id: string; region: string; zone: string }> {
  const tokenHash = await sha256Hex(input.token);
  const now = ctx.clock.nowMs();
  const [token] = await ctx.db
    .select({ token: joinTokens, publicKey: runners.publicKey })
    .from(joinTokens)
    .leftJoin(runners, eq(runners.id, joinTokens.usedByRunnerId))
    .where(eq(joinTokens.tokenHash, tokenHash))
    .limit(1);
  if (!token) throw unauthorized('This join token is not known. Make a new one: POST /aerostat/v1/join-tokens.');
  const { region, zone } = token.token;
  if (token.token.usedByRunnerId && token.publicKey === input.public_key)
    return { id: token.token.usedByRunnerId, region, zone };
  if (token.token.usedAtMs)
    throw unauthorized('This join token was used already: each lets one machine join. Make a new one.');
  if (token.token.expiresAtMs <= now) throw unauthorized('This join token has expired. Make a new one.');

  const id = ctx.ids.uuid();
  const fresh = sql`EXISTS (SELECT 1 FROM join_tokens WHERE token_hash = ${tokenHash} AND used_at_ms IS NULL AND expires_at_ms > ${now})`;
  try {
    await commit(
      { ...ctx, region },
      {
        audit: {
          action: 'fleet:runners:enrol',
          targetType: 'runner',
          targetId: id,
          detail: { name: input.name },
          actor: { type: 'runner', id },
        },
        statements: [
          assertThat(ctx.db, 'token', fresh),
          ctx.db.insert(runners).values({
            id,
            region,
            zone,
            name: input.name,
            publicKey: input.public_key,
            machineId: input.machine_id,
            state: 'enabled',
            version: input.version,
            hypervisor: input.hypervisor,
            ...capacityColumns(input.capacity, 'new'),
            createdAtMs: now,
            updatedAtMs: now,
          }),
          ctx.db
            .update(joinTokens)
            .set({ usedAtMs: now, usedByRunnerId: id })
            .where(and(eq(joinTokens.tokenHash, tokenHash))),
          ...intranetOfNewHost({ ...ctx, region }, id),
        ],
      },
    );
  } catch (error) {
    if (error instanceof AssertionFailed)
      throw unauthorized('This join token was used already: each lets one machine join. Make a new one.');
    if (error instanceof ConstraintFailed)
      throw conflict(`A runner named ${input.name} is there already. Remove it, or join with another --name.`);
    throw error;
  }
  return { id, region, zone };
}
