import { and, eq, sql } from 'drizzle-orm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { audit } from '../../db/schema/audit.ts';
import { events } from '../../db/schema/events.ts';
import { handTimers, receiver, webhookStage } from '../../test/edge-webhooks.ts';
import type { Behaviour } from '../../test/webhook-receiver.ts';
import { commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { ANSWER_BYTES_MAX, AT_ONCE_MAX, CLAIM_MS, FAILING_MS_MAX, RETRY_DELAYS_MS, THROTTLE_MS } from './limits.ts';
import { updateEndpoint } from './update-endpoint.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

describe('a webhook', () => {
  it('is signed as the standard says, and verified by the public package', async () => {
    const one = webhookStage();
    const { id } = await one.create({ events: ['network.*'] });
    const resource = crypto.randomUUID();
    await one.tell(resource);
    expect(one.woken).toEqual([id]);
    expect(await one.send(id)).toBeNull();
    const [got, ...more] = await one.box.received();
    expect(more).toEqual([]);
    expect(got).toMatchObject({ verified: [true], signed: [true], contentType: 'application/json' });
    expect(got?.id).toMatch(/^evt_[0-9a-f]{32}$/);
    expect(Object.keys(JSON.parse(got?.body ?? ''))).toEqual([
      ...['type', 'timestamp', 'data', 'region', 'project_id', 'resource_id', 'version', 'schema_version'],
    ]);
    expect(JSON.parse(got?.body ?? '')).toMatchObject({
      ...{ type: 'network.updated', resource_id: resource, version: 1, region: one.region },
      timestamp: new Date(one.clock.ms).toISOString(),
      data: { id: resource, mtu: 1450 },
    });
    const [delivery] = await one.deliveries(id);
    expect(delivery).toMatchObject({ status: 'delivered', attempts: 1, lastStatus: 204, body: got?.body, claim: null });
    expect(await one.attempts(delivery?.id)).toMatchObject([{ number: 1, status: 204, error: null, answer: '' }]);
  });

  it('goes to whoever asked for it, and to nobody else', async () => {
    const one = webhookStage();
    const stranger = { ...one.ctx, actor: { ...one.ctx.actor, projectId: 'elsewhere' } };
    const boxes = Array.from({ length: 6 }, () => receiver().url);
    const [exact, wide, other, theirs, off, operator] = [
      await one.create({ url: boxes[0] ?? '', events: ['network.updated'] }),
      await one.create({ url: boxes[1] ?? '', events: ['*'] }),
      await one.create({ url: boxes[2] ?? '', events: ['server.*', 'network.created'] }),
      await one.create({ url: boxes[3] ?? '' }, stranger),
      await one.create({ url: boxes[4] ?? '', enabled: false }),
      await one.create({ url: boxes[5] ?? '', scope: 'region' }, one.admin),
    ].map((made) => made.id);
    const count = async () =>
      Promise.all(
        [exact, wide, other, theirs, off, operator].map(async (id) => (await one.deliveries(id ?? '')).length),
      );
    await one.tell('a');
    expect(await count()).toEqual([1, 1, 0, 0, 0, 1]);
    await one.tell('b', 1, null);
    expect(await count()).toEqual([1, 1, 0, 0, 0, 2]);
    await one.tell('c', 1, 'elsewhere');
    expect(await count()).toEqual([1, 1, 0, 1, 0, 3]);
  });

  it.each<[string, Behaviour, number | null, RegExp]>([
    ['fails', { status: 500, body: 'oops' }, 500, /^oops$/],
    ['is not there', { status: 404 }, 404, /^$/],
    ['redirects', { status: 302, headers: { location: 'http://169.254.169.254/' } }, 302, /^$/],
    ['redirects for good', { status: 308, headers: { location: '/never-to-be-sent-to' } }, 308, /^$/],
    ['closes before it answers', { does: 'close' }, null, /^$/],
  ])('whose receiver %s is sent again 5 s later, under the same id', async (_what, behaviour, status, answer) => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ behaviours: [behaviour] });
    await one.tell('r');
    const due = await one.send(id);
    expect(due).toBeGreaterThanOrEqual(one.clock.ms + 5_000);
    expect(due).toBeLessThanOrEqual(one.clock.ms + 5_500 + THROTTLE_MS);
    const [waiting] = await one.deliveries(id);
    expect(waiting).toMatchObject({ status: 'pending', tries: 1, attempts: 1, lastStatus: status, nextAttemptMs: due });
    const [attempt] = await one.attempts(waiting?.id);
    expect(attempt).toMatchObject({ status, answer: expect.stringMatching(answer) });
    expect(attempt?.error === null).toBe(status !== null);
    expect(await one.send(id)).toBe(due);
    expect(await one.box.received()).toHaveLength(1);
    one.clock.ms = due ?? 0;
    expect(await one.send(id)).toBeNull();
    const got = await one.box.received();
    expect(got.map((each) => [each.id, each.body])).toEqual([
      [waiting?.eventId, got[0]?.body],
      [waiting?.eventId, got[0]?.body],
    ]);
    expect(got[1]?.timestamp).toBeGreaterThanOrEqual((got[0]?.timestamp ?? 0) + 5);
    expect(got.every((each) => each.signed[0])).toBe(true);
    expect(await (await fetch(new URL('/never-to-be-sent-to', one.box.url))).json()).toEqual([]);
  });

  it('whose receiver stalls is given up after the timeout, and tried again', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ behaviours: [{ does: 'stall' }] });
    await one.tell('r');
    const hand = handTimers();
    const sent = one.send(id, hand.timers);
    while ((await one.box.received()).length === 0) await scheduler.wait(5);
    hand.ring();
    expect(await sent).toBeGreaterThan(one.clock.ms);
    expect(hand.waiting.size).toBe(0);
    const [waiting] = await one.deliveries(id);
    expect(await one.attempts(waiting?.id)).toMatchObject([{ status: null, error: 'no answer in 20 s' }]);
  });

  it.each<[string, Behaviour, boolean]>([
    ['stalls after its status', { status: 200, does: 'stall-body', body: 'x'.repeat(10) }, true],
    ['breaks off after its status', { status: 200, does: 'close-midway' }, false],
  ])('whose receiver %s was taken', async (_what, behaviour, rings) => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ behaviours: [behaviour] });
    await one.tell('r');
    const hand = handTimers();
    const sent = one.send(id, hand.timers);
    while ((await one.box.received()).length === 0) await scheduler.wait(5);
    await scheduler.wait(50);
    if (rings) hand.ring();
    expect(await sent).toBeNull();
    expect(await one.deliveries(id)).toMatchObject([{ status: 'delivered', lastStatus: 200 }]);
  });

  it('keeps the first bytes of an answer, and no more', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ behaviours: [{ status: 500, body: `\0${'é'.repeat(10 * ANSWER_BYTES_MAX)}` }] });
    await one.tell('r');
    await one.send(id);
    const [waiting] = await one.deliveries(id);
    const [attempt] = await one.attempts(waiting?.id);
    expect(attempt?.answer).toMatch(/^\u{FFFD}é+/u);
    expect(attempt?.answer.length).toBeLessThanOrEqual(ANSWER_BYTES_MAX / 2 + 2);
  });
});

describe('an endpoint', () => {
  it.each([429, 502, 503, 504])('that answers %i is left alone as long as it asks', async (status) => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ behaviours: Array(AT_ONCE_MAX).fill({ status, headers: { 'retry-after': '3600' } }) });
    await one.tell('r', 9);
    const due = await one.send(id);
    expect(due).toBe(one.clock.ms + HOUR_MS);
    const tried = (await one.box.received()).length;
    expect(tried).toBeLessThanOrEqual(AT_ONCE_MAX);
    expect((await one.deliveries(id)).filter((each) => each.attempts > 0)).toHaveLength(tried);
    await one.tell('later');
    expect(one.woken).toEqual([id]);
    expect(await one.send(id)).toBe(due);
    one.clock.ms += HOUR_MS;
    await one.send(id);
    await one.runUntil(id, one.clock.ms + HOUR_MS);
    expect((await one.deliveries(id)).map((each) => each.status)).toEqual(Array(10).fill('delivered'));
  });

  it('that answers 410 is disabled, what waits for it is given up, and the others are told', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    const other = await one.create({ url: receiver().url, events: ['webhook.*'] });
    await one.box.put({ behaviours: [{ status: 410 }] });
    await one.tell('r');
    await one.send(id);
    await one.tell('r');
    expect(await one.row(id)).toMatchObject({ enabled: false, disabledReason: 'gone', dueAtMs: null });
    expect(await one.deliveries(id)).toMatchObject([{ status: 'failed', reason: 'endpoint-gone', lastStatus: 410 }]);
    const told = await one.deliveries(other.id);
    expect(told).toMatchObject([{ type: 'webhook.endpoint.disabled' }]);
    const [event] = await one.ctx.db
      .select()
      .from(events)
      .where(eq(events.id, told[0]?.eventId ?? ''));
    expect(event).toMatchObject({ resourceId: id, data: { id, reason: 'gone' } });
    const [noted] = await one.ctx.db
      .select()
      .from(audit)
      .where(and(eq(audit.targetId, id), eq(audit.action, 'webhooks:endpoints:disable')));
    expect(noted).toMatchObject({ detail: { reason: 'gone' } });
  });

  it('that fails for days is disabled with notice, and is as good as new when it is enabled', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ always: { status: 500 } });
    const began = one.clock.ms;
    for (let day = 0; day < 5; day += 1) {
      await one.tell('r');
      await one.runUntil(id, began + (day + 1) * DAY_MS - 1);
      expect(await one.row(id)).toMatchObject({ enabled: true, failingSinceMs: began });
    }
    one.clock.ms = began + FAILING_MS_MAX;
    await one.tell('r');
    await one.send(id);
    expect(await one.row(id)).toMatchObject({ enabled: false, disabledReason: 'failing', failingSinceMs: began });
    const all = await one.deliveries(id);
    expect(all.map((each) => each.status)).toEqual(Array(6).fill('failed'));
    expect(all.map((each) => each.reason)).toContain('attempts-exhausted');
    expect(all.map((each) => each.reason)).toContain('endpoint-disabled');
    await updateEndpoint(one.ctx, id, { enabled: true });
    expect(await one.row(id)).toMatchObject({ enabled: true, failingSinceMs: null, disabledReason: null });
    await one.box.put({ always: null });
    await one.tell('r');
    await one.send(id);
    expect((await one.deliveries(id)).at(-1)).toMatchObject({ status: 'delivered' });
  });

  it('climbs the ladder as it is published, and then gives up', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ always: { does: 'close' } });
    await one.tell('r');
    await one.runUntil(id, one.clock.ms + 4 * DAY_MS);
    const [delivery] = await one.deliveries(id);
    expect(delivery).toMatchObject({
      status: 'failed',
      reason: 'attempts-exhausted',
      attempts: 10,
      nextAttemptMs: null,
    });
    const times = (await one.attempts(delivery?.id)).map((each) => each.atMs);
    const gaps = times.map((atMs, at) => atMs - (times[at - 1] ?? atMs));
    for (const [at, gap] of gaps.entries()) {
      expect(gap).toBeGreaterThanOrEqual(RETRY_DELAYS_MS[at] ?? 0);
      expect(gap).toBeLessThanOrEqual((RETRY_DELAYS_MS[at] ?? 0) * 1.1 + 1);
    }
  });

  it('that is away for a day gets all when it is back, in an order that the versions restore', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.box.put({ always: { status: 500 } });
    const resources = ['x', 'y'].map((name) => name + crypto.randomUUID());
    const began = one.clock.ms;
    for (let hour = 0; hour < 24; hour += 1) {
      await one.tell(resources[hour % 2] ?? '', 1 + (hour % 3));
      await one.runUntil(id, began + (hour + 1) * HOUR_MS);
    }
    const told = await one.deliveries(id);
    expect(told).toHaveLength(48);
    expect(told.every((each) => each.status === 'pending')).toBe(true);
    const before = (await one.box.received()).length;
    await one.box.put({ always: null });
    await one.tell(resources[0] ?? '');
    await one.runUntil(id, one.clock.ms + HOUR_MS);
    const got = (await one.box.received()).slice(before);
    expect(new Set(got.map((each) => each.id)).size).toBe(49);
    expect((await one.deliveries(id)).every((each) => each.status === 'delivered')).toBe(true);
    for (const resource of resources) {
      const versions = got
        .map((each) => JSON.parse(each.body) as { resource_id: string; version: number })
        .filter((each) => each.resource_id === resource)
        .map((each) => each.version)
        .sort((a, b) => a - b);
      expect(versions).toEqual(versions.map((_, index) => index + 1));
    }
  });

  it('has a few deliveries under way at once, and no more', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    let [now, most] = [0, 0];
    const ctx: ActorContext = {
      ...one.ctx,
      async deliver(request) {
        now += 1;
        most = Math.max(most, now);
        const answer = await fetch(request);
        now -= 1;
        return answer;
      },
    };
    await one.tell('r', 12);
    await one.send(id, undefined, ctx);
    expect(most).toBe(AT_ONCE_MAX);
    expect(await one.box.received()).toHaveLength(12);
  });
});

/** A database that is cut off at a write: the batch that is cut is lost, or only its answer is. */
function cutOff(ctx: ActorContext, at: number, lost: 'batch' | 'answer') {
  let batches = 0;
  let cut = false;
  const batch = async (statements: Parameters<ActorContext['db']['batch']>[0]) => {
    batches += 1;
    if (cut) throw new Error('killed');
    if (batches === at) cut = true;
    if (cut && lost === 'batch') throw new Error('killed');
    const answer = await ctx.db.batch(statements);
    if (cut) throw new Error('killed');
    return answer;
  };
  const db = new Proxy(ctx.db, {
    get: (target, name) => (name === 'batch' ? batch : Reflect.get(target, name, target)),
  });
  return { ctx: { ...ctx, db }, wasCut: () => cut };
}

describe('a sender that is killed', () => {
  it('between the delivery and its record delivers again, under the same id', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.tell('r');
    await expect(one.send(id, undefined, cutOff(one.ctx, 2, 'batch').ctx)).rejects.toThrow('killed');
    expect(await one.send(id)).toBe(one.clock.ms + CLAIM_MS);
    one.clock.ms += CLAIM_MS;
    expect(await one.send(id)).toBeNull();
    const [first, second, ...more] = await one.box.received();
    expect(more).toEqual([]);
    expect([second?.id, second?.body]).toEqual([first?.id, first?.body]);
    expect(await one.deliveries(id)).toMatchObject([{ status: 'delivered', attempts: 1 }]);
  });

  it.each(['batch', 'answer'] as const)('at any write, its %s lost, loses nothing', async (lost) => {
    for (let at = 1; ; at += 1) {
      const one = webhookStage();
      const { id } = await one.create();
      await one.box.put({ behaviours: [{}, { status: 500 }] });
      await one.tell('r', 6);
      const killed = cutOff(one.ctx, at, lost);
      await one.send(id, undefined, killed.ctx).catch(() => {});
      await one.runUntil(id, one.clock.ms + HOUR_MS);
      expect((await one.deliveries(id)).map((each) => each.status)).toEqual(Array(6).fill('delivered'));
      expect(new Set((await one.box.received()).map((each) => each.id)).size).toBe(6);
      if (!killed.wasCut()) break;
    }
  });

  it('anywhere, with a receiver that does anything, loses nothing', async () => {
    const does = fc.constantFrom<Behaviour>(
      ...[{}, {}, { status: 500 }, { status: 301, headers: { location: '/' } }, { does: 'close' as const }],
      ...[
        { status: 429, headers: { 'retry-after': '30' } },
        { status: 503 },
        { status: 200, does: 'close-midway' as const },
      ],
    );
    const round = fc.record({
      tells: fc.nat(3),
      behaviours: fc.array(does, { maxLength: 6 }),
      kill: fc.option(
        fc.record({ at: fc.integer({ min: 1, max: 12 }), lost: fc.constantFrom('batch' as const, 'answer' as const) }),
      ),
      minutes: fc.nat(20),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(round, { minLength: 1, maxLength: 4 }), async (rounds) => {
        const one = webhookStage();
        const { id } = await one.create();
        const resource = crypto.randomUUID();
        let told = 0;
        for (const { tells, behaviours, kill, minutes } of rounds) {
          await one.box.put({ behaviours });
          if (tells > 0) await one.tell(resource, tells);
          told += tells;
          const ctx = kill ? cutOff(one.ctx, kill.at, kill.lost).ctx : one.ctx;
          await one.send(id, undefined, ctx).catch(() => {});
          one.clock.ms += minutes * 60_000;
        }
        await one.box.put({ behaviours: [] });
        await one.runUntil(id, one.clock.ms + DAY_MS);
        const rows = await one.deliveries(id);
        expect(rows.map((row) => row.status)).toEqual(Array(told).fill('delivered'));
        const got = await one.box.received();
        const versions = new Set(got.map((each) => JSON.parse(each.body).version as number));
        expect([...versions].sort((a, b) => a - b)).toEqual(Array.from({ length: told }, (_, index) => index + 1));
        // The same id is the same payload, however often and whenever it came.
        expect(new Set(got.map((each) => `${each.id} ${each.body}`)).size).toBe(told);
        expect(got.every((each) => each.signed[0])).toBe(true);
      }),
      { numRuns: 25 },
    );
  });

  it('is not there twice: of several at once each delivery is one’s', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    await one.tell('r', 30);
    await Promise.all([1, 2, 3].map(() => one.send(id)));
    await one.send(id);
    const got = await one.box.received();
    expect(got).toHaveLength(30);
    expect(new Set(got.map((each) => each.id)).size).toBe(30);
  });

  it('has told nobody of a change that did not commit', async () => {
    const one = webhookStage();
    const { id } = await one.create();
    const { db } = one.ctx;
    const statements = [
      db.run(sql`INSERT INTO events (id, region, project_id, type, resource_id, version, at_ms, data)
        VALUES ('', ${one.region}, ${one.ctx.actor.projectId}, 'network.updated', 'r', 0, 0, '{}')`),
      db.run(sql`INSERT INTO assertions (name) SELECT 'no' WHERE 1`),
    ];
    const change = { audit: { action: 'test', targetType: 'test', targetId: 'r' }, statements };
    await expect(commit(one.ctx, change)).rejects.toThrow();
    expect(await one.deliveries(id)).toEqual([]);
    expect(await one.row(id)).toMatchObject({ dueAtMs: null });
    expect(one.woken).toEqual([]);
  });
});
