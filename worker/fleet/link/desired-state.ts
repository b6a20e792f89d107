import { and, asc, eq, gt, inArray, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { desired, operations, runners } from '../../../db/schema/fleet.ts';
import { digestOf } from '../../../shared/digest.ts';
import { ledgerDigest } from '../../../shared/ledger-digest.ts';
import { MESSAGE_BYTES_MAX, OBJECTS_PER_MESSAGE_MAX } from '../../../shared/limits.ts';
import type { DesiredObject, EdgeMessage, MessageOf } from '../../../shared/protocol/messages.ts';
import type { OperationTarget } from '../../../shared/specs/kinds.ts';
import type { ServerSpec } from '../../../shared/specs/server.ts';
import type { MoveKeys } from './move-keys.ts';

/** Operations that are under way at most for one runner; more wait for the next look. */
const OPERATIONS_MAX = 500;
/** Room that the envelope and the message around the objects take. */
const SERIES_BYTES_MAX = MESSAGE_BYTES_MAX / 2;

export interface Look {
  generation: number;
  objects: (typeof desired.$inferSelect)[];
  operations: (typeof operations.$inferSelect)[];
  ledgerDigest?: string;
}

/** The statements of one look at a runner's desired state: what changed after a generation, and its open operations. */
function lookStatements(db: Database, runnerId: string, sinceGeneration: number) {
  return [
    db.select({ generation: runners.generation }).from(runners).where(eq(runners.id, runnerId)),
    db
      .select()
      .from(desired)
      .where(and(eq(desired.runnerId, runnerId), gt(desired.generation, sinceGeneration)))
      .orderBy(asc(desired.generation)),
    db
      .select()
      .from(operations)
      .where(and(eq(operations.runnerId, runnerId), inArray(operations.state, ['queued', 'accepted'])))
      .orderBy(asc(operations.createdAtMs))
      .limit(OPERATIONS_MAX),
  ] as const;
}

/** Reads what changed for a runner after a generation, in one batch. */
export async function look(db: Database, runnerId: string, sinceGeneration: number): Promise<Look> {
  const [[runner], objects, open] = await db.batch(lookStatements(db, runnerId, sinceGeneration));
  return { generation: runner?.generation ?? 0, objects, operations: open };
}

/** As `look`, with the digest of all that the runner should hold. */
export async function lookWhole(db: Database, runnerId: string, sinceGeneration: number): Promise<Look> {
  const held = db
    .select({ kind: desired.kind, id: desired.id, generation: desired.generation })
    .from(desired)
    .where(and(eq(desired.runnerId, runnerId), eq(desired.deleted, false)));
  const [[runner], objects, open, all] = await db.batch([
    ...lookStatements(db, runnerId, sinceGeneration),
    held,
  ] as const);
  return { generation: runner?.generation ?? 0, objects, operations: open, ledgerDigest: await ledgerDigest(all) };
}

/** Rows as the messages of one series: bounded in objects and bytes, the last one complete. */
export async function desiredSeries(seen: Look, full: boolean, keyOf: MoveKeys): Promise<MessageOf<'desired'>[]> {
  const objects = await Promise.all(seen.objects.map((row) => wireObject(row, keyOf)));
  const parts: DesiredObject[][] = [[]];
  let bytes = 0;
  for (const object of objects) {
    const size = JSON.stringify(object).length;
    const last = parts.at(-1) ?? [];
    if (last.length >= OBJECTS_PER_MESSAGE_MAX || (last.length > 0 && bytes + size > SERIES_BYTES_MAX)) {
      parts.push([object]);
      bytes = size;
    } else {
      last.push(object);
      bytes += size;
    }
  }
  return parts.map((part, index) => ({
    type: 'desired',
    generation: seen.generation,
    full,
    complete: index === parts.length - 1,
    ...(index === parts.length - 1 && seen.ledgerDigest ? { ledger_digest: seen.ledgerDigest } : {}),
    objects: part,
  }));
}

async function wireObject(row: typeof desired.$inferSelect, keyOf: MoveKeys): Promise<DesiredObject> {
  const spec = row.deleted ? null : await withKey(row.spec, keyOf);
  return {
    kind: row.kind,
    id: row.id,
    generation: row.generation,
    digest: await digestOf(spec),
    deleted: row.deleted,
    spec,
  };
}

/** A server's spec with the key of the move by which it comes, which the database does not hold. */
async function withKey(spec: unknown, keyOf: MoveKeys): Promise<unknown> {
  const incoming = (spec as Partial<ServerSpec> | null)?.incoming;
  if (!incoming) return spec;
  return { ...(spec as ServerSpec), incoming: { ...incoming, key: await keyOf(incoming.move_id) } };
}

/** An operation's row as its message. */
export async function operationMessage(row: typeof operations.$inferSelect, keyOf: MoveKeys): Promise<EdgeMessage> {
  const { move_id } = row.args;
  return {
    type: 'operation',
    op_id: row.opId,
    kind: row.kind,
    target_kind: row.targetKind as OperationTarget,
    target_id: row.targetId,
    target_epoch: row.targetEpoch,
    attempt: row.attempt,
    deadline_ms: row.deadlineMs,
    args: typeof move_id === 'string' ? { ...row.args, key: await keyOf(move_id) } : row.args,
  };
}

/** Where a runner stands now, with one statement that also renews its lease. */
export function renewLease(
  db: Database,
  runnerId: string,
  beat: { nowMs: number; leaseMs: number; guests: number; epoch: number },
) {
  return db.all<{ generation: number; state: string }>(sql`
    UPDATE runners SET last_seen_at_ms = ${beat.nowMs}, lease_expires_at_ms = ${beat.nowMs + beat.leaseMs}, connected = 1, guests = ${beat.guests}
    WHERE id = ${runnerId} AND epoch = ${beat.epoch} AND state <> 'removed' RETURNING generation, state`);
}
