import { eq, sql } from 'drizzle-orm';
import { desired, runners } from '../db/schema/fleet.ts';
import type { MessageOf } from '../shared/protocol/messages.ts';
import { dropDesired, putDesired } from '../worker/fleet/desired.ts';
import { commitAll } from '../worker/http/commit.ts';
import { edgeContext } from './edge-context.ts';

/** The spec of a security group, the least that can be wished. */
export const group = (id: string) => ({ id, stateful: true, rules: [] });

/** Wants a security group on a runner, as a verb would. */
export async function want(runnerId: string, id: string = crypto.randomUUID()): Promise<string> {
  const there = sql`runners.id = ${runnerId}`;
  await commitAll(
    edgeContext(),
    [putDesired(edgeContext().db, there, { kind: 'security-group', id, spec: group(id) })],
    there,
  );
  return id;
}

/** Takes the wish back. */
export async function unwant(runnerId: string, id: string): Promise<void> {
  await commitAll(
    edgeContext(),
    [dropDesired(edgeContext().db, 'security-group', sql`desired.runner_id = ${runnerId} AND desired.id = ${id}`)],
    sql`runners.id = ${runnerId}`,
  );
}

/** What the database has of a runner. */
export const runnerRow = async (id: string) =>
  (await edgeContext().db.select().from(runners).where(eq(runners.id, id)))[0];
/** What a runner is to hold. */
export const desiredRows = (runnerId: string) =>
  edgeContext().db.select().from(desired).where(eq(desired.runnerId, runnerId));
/** Whether a message is about an object's wish. */
export const isDesired = (id: string) => (message: { type: string }) =>
  message.type === 'desired' && (message as MessageOf<'desired'>).objects.some((object) => object.id === id);
