import { eq } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import { webhookDeliveries, webhookEndpoints, webhookSecrets } from '../../db/schema/webhooks.ts';
import { webhookStage } from '../../test/edge-webhooks.ts';
import { parseListQuery } from '../network/api/listing.ts';
import { replayBody } from './bodies.ts';
import { claimDeliveries } from './claim-deliveries.ts';
import { deleteEndpoint } from './delete-endpoint.ts';
import { deliveryListing, findDelivery, listDeliveries } from './deliveries.ts';
import { endpointListing, listEndpoints, showEndpoint } from './endpoints.ts';
import { CLEARED_MAX, CLEARING_BATCHES_MAX, REPLAYED_MAX } from './limits.ts';
import { recordAttempt } from './record-attempt.ts';
import { replayDelivery, replayRange } from './replay.ts';
import { testEndpoint } from './test-endpoint.ts';
import { updateEndpoint } from './update-endpoint.ts';
import { webhookRound } from './webhook-round.ts';

const MANY = CLEARED_MAX + 600;

/** An endpoint that more waits for than one batch clears away. */
async function crowded(count = MANY) {
  const one = webhookStage();
  const { id } = await one.create({ events: ['network.*'] });
  await one.tellMany('many', count);
  one.clock.ms += 1;
  const byStatus = async () => {
    const counts = { pending: 0, delivered: 0, failed: 0 };
    for (const { status } of await one.deliveries(id)) counts[status] += 1;
    return counts;
  };
  return { ...one, id, byStatus };
}

describe('an endpoint that is disabled while very much waits for it', () => {
  it('gives up so much at a time, and is sent nothing of it meanwhile', async () => {
    const count = CLEARED_MAX * (CLEARING_BATCHES_MAX + 1) + 600;
    const one = await crowded(count);
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    expect(await one.byStatus()).toEqual({ pending: count - CLEARED_MAX, failed: CLEARED_MAX, delivered: 0 });
    expect(await one.send(one.id)).toBeNull();
    await webhookRound(one.ctx);
    expect(await one.byStatus()).toMatchObject({ pending: 600 });
    expect(await one.send(one.id)).toBeNull();
    await webhookRound(one.ctx);
    expect(await one.byStatus()).toEqual({ pending: 0, failed: count, delivered: 0 });
    expect((await one.deliveries(one.id)).every((each) => each.reason === 'endpoint-disabled')).toBe(true);
    expect(await one.row(one.id)).toMatchObject({ clearingSinceMs: null, dueAtMs: null });
    expect(await one.box.received()).toEqual([]);
    expect(one.woken).toEqual([]);
  });

  it('by its own answer of 410, does so, too', async () => {
    const one = await crowded();
    await one.box.put({ always: { status: 410 } });
    await one.send(one.id);
    expect(await one.row(one.id)).toMatchObject({ enabled: false, disabledReason: 'gone' });
    const sent = (await one.box.received()).length;
    await webhookRound(one.ctx);
    expect(await one.send(one.id)).toBeNull();
    expect(await one.byStatus()).toEqual({ pending: 0, failed: MANY, delivered: 0 });
    expect(await one.box.received()).toHaveLength(sent);
  });

  it.each([
    ['off and on', [{ enabled: false }, { enabled: true }]],
    ['elsewhere', [{ url: 'https://hooks.example.com/another' }]],
  ])('is not so by an answer to what was sent before it was led %s', async (_, patches) => {
    const one = webhookStage();
    const { id } = await one.create({ events: ['network.*'] });
    await one.tell('before');
    const claim = await claimDeliveries(one.ctx, id);
    const [sent] = claim?.deliveries ?? [];
    if (!claim || !sent) throw new Error('nothing is due');
    one.clock.ms += 1;
    for (const patch of patches) await updateEndpoint(one.ctx, id, patch);
    const answer = { atMs: one.clock.ms, durationMs: 1, status: 410, error: null, answer: '', retryAfter: '60' };
    await recordAttempt(one.ctx, claim, sent, answer as never);
    expect(await one.row(id)).toMatchObject({ enabled: true, failingSinceMs: null, disabledReason: null });
  });

  it('and is enabled again before all is given up, is sent what comes now, and nothing from before', async () => {
    const one = await crowded();
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    await updateEndpoint(one.ctx, one.id, { enabled: true });
    expect(await one.row(one.id)).toMatchObject({ dueAtMs: null });
    await one.tell('new');
    expect(await one.send(one.id)).toBeNull();
    expect((await one.box.received()).map((each) => JSON.parse(each.body).resource_id)).toEqual(['new']);
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    await updateEndpoint(one.ctx, one.id, { enabled: true });
    await testEndpoint(one.ctx, one.id);
    await webhookRound(one.ctx);
    expect(await one.byStatus()).toEqual({ pending: 1, failed: MANY, delivered: 1 });
    expect(await one.send(one.id)).toBeNull();
    expect(await one.box.received()).toHaveLength(2);
  });

  it('is sent all of it by a replay, once each, whether it was given up yet or not', async () => {
    const one = await crowded();
    await updateEndpoint(one.ctx, one.id, { enabled: false });
    await updateEndpoint(one.ctx, one.id, { enabled: true });
    const last = (await one.deliveries(one.id)).at(-1);
    expect(last).toMatchObject({ status: 'pending' });
    await replayDelivery(one.ctx, last?.id ?? '');
    const { replay } = replayBody.parse({
      replay: { id: crypto.randomUUID(), since: new Date(one.clock.ms - 60_000).toISOString() },
    });
    const counts: number[] = [];
    for (let complete = false; !complete; ) {
      const done = await replayRange(one.ctx, one.id, replay);
      counts.push(done.count);
      complete = done.complete;
      expect(done.count).toBeLessThanOrEqual(2 * REPLAYED_MAX);
    }
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(MANY - 1);
    await webhookRound(one.ctx);
    expect(await one.byStatus()).toEqual({ pending: MANY, failed: 0, delivered: 0 });
    for (let left = true; left; left = (await one.byStatus()).pending > 0) await one.send(one.id);
    const ids = (await one.box.received()).map((each) => each.id);
    expect(ids).toHaveLength(MANY);
    expect(new Set(ids).size).toBe(MANY);
  });
});

describe('an endpoint that is deleted', () => {
  const count = async (one: Awaited<ReturnType<typeof crowded>>) =>
    Promise.all([
      one.ctx.db.$count(webhookDeliveries, eq(webhookDeliveries.endpointId, one.id)),
      one.ctx.db.$count(webhookEndpoints, eq(webhookEndpoints.id, one.id)),
      one.ctx.db.$count(webhookSecrets, eq(webhookSecrets.endpointId, one.id)),
    ]);

  it('goes at once with what it has, where that is little', async () => {
    const one = await crowded(5);
    await deleteEndpoint(one.ctx, one.id);
    expect(await count(one)).toEqual([0, 0, 0]);
  });

  it('is gone for everybody at once, and its deliveries so many at a time', async () => {
    const one = await crowded();
    const [delivery] = await one.deliveries(one.id);
    const last = (await one.deliveries(one.id)).at(-1);
    await deleteEndpoint(one.ctx, one.id);
    expect(await count(one)).toEqual([MANY - CLEARED_MAX, 1, 0]);
    const gone = { status: 404 };
    const page = (listing: typeof endpointListing) => parseListQuery(listing, new URLSearchParams());
    await expect(showEndpoint(one.ctx, one.id)).rejects.toMatchObject(gone);
    await expect(deleteEndpoint(one.ctx, one.id)).rejects.toMatchObject(gone);
    await expect(updateEndpoint(one.ctx, one.id, { enabled: true })).rejects.toMatchObject(gone);
    await expect(listDeliveries(one.ctx, one.id, page(deliveryListing))).rejects.toMatchObject(gone);
    for (const id of [delivery?.id ?? '', last?.id ?? ''])
      await expect(findDelivery(one.ctx, 'webhooks:deliveries:show', id)).rejects.toMatchObject(gone);
    expect(await listEndpoints(one.ctx, page(endpointListing))).toEqual([]);
    expect(await one.send(one.id)).toBeUndefined();
    // Its URL is free again, and the new one is told of what comes.
    const next = await one.create();
    await one.tell('new');
    await webhookRound(one.ctx);
    expect(await count(one)).toEqual([0, 0, 0]);
    expect(await one.send(next.id)).toBeNull();
    expect(await one.box.received()).toHaveLength(1);
  });

  it('tells nobody that it was disabled', async () => {
    const one = await crowded(1);
    const other = await one.create({ url: `${one.box.url}-other`, events: ['webhook.*'] });
    await deleteEndpoint(one.ctx, one.id);
    expect(await one.deliveries(other.id)).toEqual([]);
  });
});
