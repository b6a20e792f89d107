import { asc, eq, sql } from 'drizzle-orm';
import { inject } from 'vitest';
import { webhookAttempts, webhookDeliveries, webhookEndpoints } from '../db/schema/webhooks.ts';
import { systemTimers, type Timers } from '../shared/clock.ts';
import { putEvent } from '../worker/events/put-event.ts';
import { commit } from '../worker/http/commit.ts';
import type { ActorContext } from '../worker/http/context.ts';
import { endpointBody, type NewEndpoint } from '../worker/webhooks/bodies.ts';
import { createEndpoint } from '../worker/webhooks/create-endpoint.ts';
import { sendDue } from '../worker/webhooks/send-due.ts';
import { actorContextOf } from './edge-context.ts';
import type { Behaviour, Received } from './webhook-receiver.ts';

/** A box of its own at the receiver that the lane started. */
export function receiver() {
  const url = `${inject('receiverUrl')}/${crypto.randomUUID()}`;
  const put = async (body: { behaviours?: Behaviour[]; always?: Behaviour | null; secrets?: string[] }) => {
    await (await fetch(url, { method: 'PUT', body: JSON.stringify(body) })).text();
  };
  const received = async (): Promise<Received[]> => (await fetch(url)).json();
  return { url, put, received };
}

/** A project in a region of its own, whose clock the test owns and whose webhooks it sends by hand. */
export function webhookStage(startMs = Date.now()) {
  const clock = { ms: startMs, nowMs: () => clock.ms };
  const region = `w${crypto.randomUUID().replaceAll('-', '').slice(0, 12)}`;
  const woken: string[] = [];
  const ctx: ActorContext = {
    ...actorContextOf(crypto.randomUUID().replaceAll('-', '')),
    ...{ clock, region },
    webhooks: { wake: (ids) => woken.push(...ids), watch: () => {} },
  };
  const admin: ActorContext = { ...ctx, actor: { ...ctx.actor, roles: ['admin', 'member', 'reader'] } };
  const box = receiver();
  const create = async (of: Partial<NewEndpoint> = {}, as = ctx) => {
    const { endpoint } = endpointBody.parse({ endpoint: { url: box.url, ...of } });
    const made = await createEndpoint(as, endpoint);
    if ('secret' in made) await box.put({ secrets: [made.secret] });
    return made;
  };
  /** Tells events of a resource, of the type whose data is the smallest. */
  const tell = async (resourceId: string, count = 1, projectId: string | null = ctx.actor.projectId) => {
    const data = { id: resourceId, name: 'n', admin_state_up: true, shared: false, external: false, mtu: 1450 };
    const event = () => putEvent(ctx, { type: 'network.updated', projectId, resourceId, data });
    await commit(ctx, {
      audit: { action: 'test', targetType: 'test', targetId: resourceId },
      statements: Array.from({ length: count }, event),
    });
  };
  /** The same of very many, in one statement: only their number matters. */
  const tellMany = (resourceId: string, count: number) =>
    ctx.db.run(sql`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${count})
      INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
      SELECT '', ${region}, ${ctx.actor.projectId}, 'network.updated', ${resourceId}, 0, ${clock.ms}, '{}' FROM n`);
  const send = (id: string, timers: Timers = systemTimers, as: ActorContext = ctx) => sendDue(as, id, timers);
  const deliveries = (id: string) =>
    ctx.db
      .select()
      .from(webhookDeliveries)
      .where(eq(webhookDeliveries.endpointId, id))
      .orderBy(asc(webhookDeliveries.eventSequence));
  const attempts = (deliveryId = '') =>
    ctx.db
      .select()
      .from(webhookAttempts)
      .where(eq(webhookAttempts.deliveryId, deliveryId))
      .orderBy(asc(webhookAttempts.number));
  const row = async (id: string) => {
    const [found] = await ctx.db.select().from(webhookEndpoints).where(eq(webhookEndpoints.id, id));
    if (!found) throw new Error(`no endpoint ${id}`);
    return found;
  };
  /** Lets time pass, sending whatever comes due, up to a moment. */
  const runUntil = async (id: string, untilMs: number) => {
    for (let due = (await row(id)).dueAtMs; due !== null && due <= untilMs; due = (await row(id)).dueAtMs) {
      clock.ms = Math.max(clock.ms, due);
      await send(id);
    }
    clock.ms = Math.max(clock.ms, untilMs);
  };
  return { ctx, admin, clock, region, woken, box, create, tell, tellMany, send, deliveries, attempts, row, runUntil };
}

/** Timers that ring when the test says so. */
export function handTimers() {
  const waiting = new Set<() => void>();
  const timers: Timers = {
    nowMs: () => Date.now(),
    after(_delayMs, run) {
      waiting.add(run);
      return () => waiting.delete(run);
    },
  };
  const ring = () => {
    for (const run of [...waiting]) run();
  };
  return { timers, waiting, ring };
}
