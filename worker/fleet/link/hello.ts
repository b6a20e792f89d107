import { and, eq, sql } from 'drizzle-orm';
import { desired, runners } from '../../../db/schema/fleet.ts';
import { LEASE_S, PROTOCOL_MAX, PROTOCOL_MIN } from '../../../shared/limits.ts';
import { helloText, type MessageOf, type RunnerMessageOf } from '../../../shared/protocol/messages.ts';
import { commitAll, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { tunnelMoved } from '../../network/tunnel-moved.ts';
import { capacityColumns } from '../capacity.ts';
import type { SessionData } from './session.ts';

type Reject = MessageOf<'reject'>;

const reject = (code: string, message: string, retry = false, retry_after_s?: number): Reject => ({
  type: 'reject',
  code,
  message,
  retry,
  ...(retry_after_s === undefined ? {} : { retry_after_s }),
});

/** Base64url without padding to bytes. */
function fromBase64url(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), (char) => char.charCodeAt(0));
}

/** Whether a signature over a text was made by the holder of a raw Ed25519 key. False for malformed input, too. */
export async function signedBy(publicKey: string, signature: string, text: string): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey('raw', fromBase64url(publicKey), 'Ed25519', false, ['verify']);
    return await crypto.subtle.verify('Ed25519', key, fromBase64url(signature), new TextEncoder().encode(text));
  } catch {
    return false;
  }
}

/**
 * Checks a hello and opens its session: the key signed our nonce, on the machine that enrolled, in a protocol we speak.
 * A second machine with a copied key is refused; the same machine coming back fences its older session by the new epoch.
 * @param live - the boot id of the session that is open now, if one is
 * @returns the epoch and zone to welcome it with, or why not
 */
export async function acceptHello(
  ctx: Context,
  data: SessionData,
  hello: RunnerMessageOf<'hello'>,
  live: { bootId: string } | null,
): Promise<Reject | { epoch: number; region: string; protocol: number }> {
  const [row] = await ctx.db.select().from(runners).where(eq(runners.id, data.runnerId)).limit(1);
  if (!row || row.state === 'removed')
    return reject('removed', 'This runner is not known here. Join again with a new token.');
  const text = helloText({
    nonce: data.nonce,
    runner_id: data.runnerId,
    machine_id: hello.machine_id,
    boot_id: hello.boot_id,
  });
  if (hello.runner_id !== data.runnerId || !(await signedBy(row.publicKey, hello.signature, text))) {
    return reject('bad-signature', 'The signature does not fit the key that enrolled.');
  }
  if (hello.machine_id !== row.machineId) {
    return reject('other-machine', 'This key enrolled on another machine. Join this machine with a token of its own.');
  }
  const leased = (row.leaseExpiresAtMs ?? 0) > ctx.clock.nowMs();
  if (live && leased && live.bootId !== hello.boot_id) {
    return reject('duplicate', 'Another machine is connected with this key.', true, LEASE_S);
  }
  const protocol = Math.min(PROTOCOL_MAX, hello.protocol[1]);
  if (protocol < Math.max(PROTOCOL_MIN, hello.protocol[0])) {
    return reject(
      'protocol',
      `This edge speaks protocol ${PROTOCOL_MIN} to ${PROTOCOL_MAX}. Update the older side.`,
      true,
      600,
    );
  }
  const now = ctx.clock.nowMs();
  const change = {
    epoch: sql<number>`epoch + 1`,
    connected: true,
    bootId: hello.boot_id,
    version: hello.version,
    hypervisor: hello.hypervisor,
    capabilities: hello.capabilities,
    tunnelIp: hello.tunnel_ip,
    physicalNetworks: hello.physical_networks,
    ...capacityColumns(hello.capacity, 'known'),
    lastSeenAtMs: now,
    leaseExpiresAtMs: now + LEASE_S * 1000,
    updatedAtMs: now,
  };
  const opened = ctx.db
    .update(runners)
    .set(change)
    .where(and(eq(runners.id, row.id), sql`state <> 'removed'`))
    .returning({ epoch: runners.epoch });
  // A ledger that is ahead: the database is from a backup. Above its generation everything counts as new again.
  const ahead = hello.generation > row.generation ? restamp(ctx, row.id, hello.generation + 1) : [];
  const results = await commitAll(ctx, [opened, ...ahead]);
  const epoch = (results[0] as { epoch: number }[])[0]?.epoch;
  if (epoch === undefined) return reject('removed', 'This runner is not known here. Join again with a new token.');
  if (row.tunnelIp !== hello.tunnel_ip) await tunnelMoved(ctx, row.id);
  return { epoch, region: row.region, protocol };
}

/** Statements that lift a runner's generation and all that it should hold above what its ledger has seen. */
function restamp(ctx: Context, runnerId: string, generation: number): Statement[] {
  return [
    ctx.db.update(runners).set({ generation }).where(eq(runners.id, runnerId)),
    ctx.db.update(desired).set({ generation }).where(eq(desired.runnerId, runnerId)),
  ];
}
