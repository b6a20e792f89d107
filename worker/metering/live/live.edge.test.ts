import { env, runInDurableObject } from 'cloudflare:test';
import { eq } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import { ports } from '../../../db/schema/network.ts';
import type { SampleBatch } from '../../../shared/protocol/messages.ts';
import { call } from '../../../test/edge-client.ts';
import { edgeContext } from '../../../test/edge-context.ts';
import { openEvents } from '../../../test/edge-live.ts';
import { addPort, batch } from '../../../test/edge-meter.ts';
import { EdgeRunner, enrol } from '../../../test/edge-runner.ts';
import { mintActor } from '../../../test/edge-tokens.ts';
import type { Env } from '../../env.ts';
import type { RunnerLink } from '../../fleet/runner-link.ts';
import { LIVE_RESOURCES_MAX } from '../limits.ts';

const HOUR_MS = 3_600_000;
const METER = 'network.incoming.bytes';
const ctx = edgeContext();

/** A connected machine, and how it tells samples. */
async function machine() {
  const { runner } = await enrol();
  const link = await EdgeRunner.connect(runner);
  const links = (env as unknown as Env).RUNNER_LINK;
  const stub = links.get(links.idFromName(runner.id)) as DurableObjectStub<RunnerLink>;
  const say = async (...batches: SampleBatch[]) => {
    link.send({ type: 'metered', spool_id: 's', batches });
    await link.next(({ type }) => type === 'metered-ack');
  };
  return { id: runner.id, link, stub, say };
}

async function metered() {
  const one = await machine();
  const actor = await mintActor('member');
  const of = { region: ctx.region, ctx, runnerId: one.id };
  const port = await addPort(of, { projectId: actor.projectId, createdAtMs: Date.now() - HOUR_MS });
  const query = `resource_id=${port}&meter=${METER}`;
  const startMs = Date.now() - HOUR_MS / 2;
  /** The sample of a moment: ten seconds a step. */
  const at = (seq: number, bytes: number, step = seq) => batch(seq, startMs + step * 10_000, { [port]: bytes });
  const moment = (step: number) => new Date(startMs + step * 10_000).toISOString();
  return {
    ...one,
    actor,
    of,
    port,
    query,
    at,
    moment,
    open: (last?: string | null) => openEvents(actor.token, query, last),
  };
}

describe('a stream of live figures', () => {
  it('has the points of a resource as they come, with what a counter rose by, and no others', async () => {
    const one = await metered();
    const other = await addPort(one.of, { createdAtMs: Date.now() - HOUR_MS });
    await one.say(one.at(1, 100));
    const stream = await one.open();
    expect(stream.response.headers.get('content-type')).toBe('text/event-stream');
    await one.say(batch(2, Date.now() - 1_000, { [other]: 5 }));
    await one.say(one.at(3, 160));
    const came = await stream.next();
    expect(came?.data).toEqual({
      at: one.moment(3),
      points: [{ resource_id: one.port, meter: METER, value: 160, rose: 60, over_s: 20 }],
    });
    await one.say(batch(4, Date.parse(one.moment(4)), { [one.port]: ['next', 7] }));
    expect((await stream.next())?.data?.points).toMatchObject([{ value: 7, rose: 7, over_s: 10 }]);
    await stream.leave();
    one.link.close();
  });

  it('goes on where its reader was: nothing is lost, nothing twice, whatever came late', async () => {
    const one = await metered();
    const first = await one.open();
    await one.say(one.at(1, 10));
    await one.say(one.at(2, 30, 5));
    await first.next();
    const last = first.lastId();
    await first.leave();
    // Meanwhile come one newer, one that is late, and one that was said before.
    await one.say(one.at(3, 50, 6));
    await one.say(one.at(4, 20, 2), one.at(2, 30, 5));
    const again = await one.open(last);
    await one.say(one.at(5, 60, 7));
    const values: (number | undefined)[] = [];
    for (let count = 0; count < 4; count += 1) values.push((await again.next())?.data?.points[0]?.value);
    expect(values).toEqual([30, 50, 20, 60]);
    await again.leave();
    // From its very last on there is nothing but what is new.
    const newest = await one.open(again.lastId());
    await one.say(one.at(6, 70, 8));
    expect((await newest.next())?.data).toMatchObject({ at: one.moment(8), points: [{ value: 70, rose: 10 }] });
    await newest.leave();
    one.link.close();
  });

  it('goes on with the machine that the resource has moved to', async () => {
    const one = await metered();
    const stream = await one.open();
    await one.say(one.at(1, 10));
    await stream.next();
    const last = stream.lastId();
    await stream.leave();
    const other = await machine();
    await ctx.db.update(ports).set({ runnerId: other.id }).where(eq(ports.id, one.port));
    // What comes there comes later than what was read here, by the clock that both are kept by.
    await vi.waitUntil(() => Date.now() > Number(last?.split('.')[1]), { interval: 1 });
    await other.say(batch(1, Date.parse(one.moment(2)), { [one.port]: ['there', 3] }));
    const again = await one.open(last);
    expect((await again.next())?.data).toMatchObject({ at: one.moment(2), points: [{ value: 3, rose: 3 }] });
    await again.leave();
    for (const { link } of [one, other]) link.close();
  });

  it('is of resources of several machines at once, and goes on with all of them', async () => {
    const [one, other] = [await metered(), await machine()];
    const of = { ...one.of, runnerId: other.id };
    const second = await addPort(of, { projectId: one.actor.projectId, createdAtMs: Date.now() - HOUR_MS });
    const query = `${one.query}&resource_id=${second}`;
    const stream = await openEvents(one.actor.token, query);
    await one.say(one.at(1, 10));
    expect((await stream.next())?.data?.points).toMatchObject([{ resource_id: one.port, value: 10 }]);
    await stream.leave();
    await other.say(batch(1, Date.parse(one.moment(1)), { [second]: 5 }));
    await one.say(one.at(2, 20));
    const again = await openEvents(one.actor.token, query, stream.lastId());
    const got = [await again.next(), await again.next()].map((event) => event?.data?.points[0]?.value);
    expect(got.sort()).toEqual([20, 5]);
    await again.leave();
    for (const { link } of [one, other]) link.close();
  });

  it('leaves nothing behind when its reader goes', async () => {
    const one = await metered();
    const count = () => runInDurableObject(one.stub, (link) => link.liveCount());
    const streams = [await one.open(), await one.open()];
    expect(await count()).toBe(2);
    await streams[0]?.leave();
    await expect.poll(count).toBe(1);
    await streams[1]?.leave();
    await expect.poll(count).toBe(0);
    one.link.close();
  });
});

describe('a stream of live figures is refused', () => {
  const ask = async (token: string, query: string, headers: Record<string, string> = {}) => {
    const response = await call('GET', `/aerostat/v1/metering/live${query}`, { token, headers });
    const text = await response.text();
    return [response.status, text] as const;
  };

  it('for what is not there, is another’s, has no such meter, or is on no machine', async () => {
    const one = await metered();
    const { token } = one.actor;
    const stranger = await mintActor('member');
    expect(await ask(stranger.token, `?${one.query}`)).toMatchObject([404, expect.stringContaining(one.port)]);
    expect((await ask(token, `?resource_id=${crypto.randomUUID()}`))[0]).toBe(404);
    expect((await ask(token, ''))[0]).toBe(400);
    expect((await ask(token, `?resource_id=${one.port}&meter=cpu.time`))[0]).toBe(400);
    expect((await ask(token, `?resource_id=${one.port}&meter=no.such`))[0]).toBe(400);
    const many = Array.from({ length: LIVE_RESOURCES_MAX + 1 }, (_, at) => `resource_id=${at}`).join('&');
    expect((await ask(token, `?${many}`))[0]).toBe(400);
    expect((await ask(token, `?${one.query}`, { 'last-event-id': 'x' }))[0]).toBe(400);
    await ctx.db.update(ports).set({ runnerId: null }).where(eq(ports.id, one.port));
    expect((await ask(token, `?${one.query}`))[0]).toBe(404);
    one.link.close();
  });
});
