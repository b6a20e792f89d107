import { describe, expect, it } from 'vitest';
import { receiver, webhookStage } from '../../test/edge-webhooks.ts';
import { replayBody } from './bodies.ts';
import { showDelivery } from './deliveries.ts';
import { REPLAYED_MAX, TESTS_WAITING_MAX } from './limits.ts';
import { replayDelivery, replayRange } from './replay.ts';
import { testEndpoint } from './test-endpoint.ts';
import { updateEndpoint } from './update-endpoint.ts';

const MINUTE_MS = 60_000;
const iso = (ms: number) => new Date(ms).toISOString();

/** A stage with an endpoint, and a replay of a range of it. */
async function replayStage() {
  const one = webhookStage();
  const { id } = await one.create({ events: ['network.*'] });
  const replay = (of: Record<string, unknown>) => {
    const body = { since: iso(one.clock.ms - 60 * MINUTE_MS), ...of };
    return replayRange(one.ctx, id, replayBody.parse({ replay: body }).replay);
  };
  const ids = async () => (await one.box.received()).map((each) => each.id);
  return { ...one, id, replay, ids };
}

describe('one delivery', () => {
  it('is sent again with the same id and payload', async () => {
    const one = await replayStage();
    await one.tell('r');
    await one.send(one.id);
    const [delivery] = await one.deliveries(one.id);
    await replayDelivery(one.ctx, delivery?.id ?? '');
    await replayDelivery(one.ctx, delivery?.id ?? '');
    await one.send(one.id);
    const [first, second, ...more] = await one.box.received();
    expect(more).toEqual([]);
    expect([second?.id, second?.body]).toEqual([first?.id, first?.body]);
    expect(await one.deliveries(one.id)).toMatchObject([{ status: 'delivered', attempts: 2, tries: 0 }]);
    const shown = await showDelivery(one.ctx, delivery?.id ?? '');
    expect(shown.payload).toBe(first?.body);
    expect(shown.attempts.map((each) => each.number)).toEqual([1, 2]);
  });

  it('of an endpoint that is disabled is not', async () => {
    const one = await replayStage();
    await one.tell('r');
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    const [delivery] = await one.deliveries(one.id);
    expect(delivery).toMatchObject({ status: 'failed', reason: 'endpoint-disabled' });
    await expect(replayDelivery(one.ctx, delivery?.id ?? '')).rejects.toMatchObject({ status: 409 });
    await expect(one.replay({})).rejects.toMatchObject({ status: 409 });
  });
});

describe('a test', () => {
  it('goes to its endpoint alone, and so many wait at most', async () => {
    const one = await replayStage();
    const other = await one.create({ url: receiver().url });
    for (let tests = 0; tests < TESTS_WAITING_MAX; tests += 1) await testEndpoint(one.ctx, one.id);
    await expect(testEndpoint(one.ctx, one.id)).rejects.toMatchObject({ status: 409 });
    expect(await one.deliveries(other.id)).toEqual([]);
    await one.send(one.id);
    await testEndpoint(one.ctx, one.id);
    expect((await one.deliveries(one.id)).map((each) => each.type)).toEqual(Array(11).fill('webhook.test'));
  });
});

describe('a range', () => {
  it('brings what failed, and what came while the endpoint was disabled or asked for something else', async () => {
    const one = await replayStage();
    await one.tell('before');
    await one.send(one.id);
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    await one.tell('while off', 2);
    await updateEndpoint(one.ctx, one.id, { enabled: true, events: ['server.*'] });
    await one.tell('other filter');
    await one.tell('not ours', 1, 'elsewhere');
    await updateEndpoint(one.ctx, one.id, { events: ['network.*'] });
    expect(await one.replay({})).toMatchObject({ count: 3, complete: true });
    await one.send(one.id);
    expect(new Set(await one.ids()).size).toBe(4);
    expect(await one.ids()).toHaveLength(4);
    expect(await one.replay({})).toMatchObject({ count: 0, complete: true });
  });

  it('is one of time', async () => {
    const one = await replayStage();
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    const began = one.clock.ms;
    const resource = crypto.randomUUID();
    for (let minute = 0; minute < 5; minute += 1) {
      one.clock.ms = began + minute * MINUTE_MS;
      await one.tell(resource);
    }
    await updateEndpoint(one.ctx, one.id, { enabled: true });
    const range = { since: iso(began + MINUTE_MS), until: iso(began + 3 * MINUTE_MS) };
    expect(await one.replay(range)).toMatchObject({ count: 2 });
    const bodies = async () => (await one.box.received()).map((each) => JSON.parse(each.body).version);
    await one.send(one.id);
    expect((await bodies()).sort()).toEqual([2, 3]);
    expect(() => replayBody.parse({ replay: { since: range.until, until: range.since } })).toThrow(/ends before/);
  });

  it('that is named twice sends nothing twice', async () => {
    const one = await replayStage();
    await one.tell('r', 3);
    await one.send(one.id);
    const name = crypto.randomUUID();
    const again = () => one.replay({ id: name, delivered: true });
    expect(await again()).toEqual({ id: name, count: 3, complete: true });
    expect(await again()).toMatchObject({ count: 0 });
    await one.send(one.id);
    expect(await again()).toMatchObject({ count: 0 });
    expect(await one.send(one.id)).toBeNull();
    expect(await one.ids()).toHaveLength(6);
    expect(await one.replay({ delivered: true })).toMatchObject({ count: 3 });
  });

  it('of very many comes in parts, by its name', async () => {
    const one = await replayStage();
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    for (let at = 0; at < 5; at += 1) await one.tell('r', REPLAYED_MAX / 4);
    await updateEndpoint(one.ctx, one.id, { enabled: true, url: receiver().url });
    const name = crypto.randomUUID();
    expect(await one.replay({ id: name })).toEqual({ id: name, count: REPLAYED_MAX, complete: false });
    expect(await one.replay({ id: name })).toEqual({ id: name, count: REPLAYED_MAX / 4, complete: true });
  });
});
