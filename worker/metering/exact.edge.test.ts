import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { SampleBatch } from '../../shared/protocol/messages.ts';
import { addPort, batch, MeteredRunner, T0 } from '../../test/edge-meter.ts';

const METER = 'network.incoming.bytes';
const DAY_MS = 24 * 3_600_000;

/** A moment of a machine: how long after the last one, what each port gained, which of them began anew, or moved away. */
const moment = fc.record({
  afterMs: fc.oneof(
    { weight: 6, arbitrary: fc.integer({ min: 1, max: 20_000 }) },
    fc.integer({ min: 1, max: 4 * 3_600_000 }),
  ),
  gained: fc.tuple(fc.integer({ min: 0, max: 1_000_003 }), fc.integer({ min: 0, max: 3 })),
  anew: fc.tuple(fc.boolean(), fc.constant(false)),
  spoken: fc.tuple(fc.boolean(), fc.constant(true)),
});
type Moment = typeof moment extends fc.Arbitrary<infer T> ? T : never;

/** What a machine would spool of its moments, and what its counters came to, by port. */
function spoolOf(moments: Moment[], ids: string[], epoch: string): { batches: SampleBatch[]; truth: number[] } {
  const truth = ids.map(() => 0);
  const live = ids.map(() => ({ epoch: 0, value: 0, told: 0 }));
  let atMs = T0;
  const batches = moments.map(({ afterMs, gained, anew, spoken }, at) => {
    // The machine is metered from the start of its ports: what is older is another matter.
    atMs += at === 0 ? Math.min(afterMs, 20_000) : afterMs;
    const said: Record<string, [string, number]> = {};
    for (const [port, id] of ids.entries()) {
      const counter = live[port] as { epoch: number; value: number; told: number };
      if (anew[port]) Object.assign(counter, { epoch: counter.epoch + 1, value: 0, told: 0 });
      counter.value += gained[port] ?? 0;
      if (spoken[port] === false) continue;
      // What an epoch counted is known as far as it was told.
      truth[port] = (truth[port] ?? 0) + counter.value - counter.told;
      counter.told = counter.value;
      said[id] = [`${epoch}${counter.epoch}`, counter.value];
    }
    return batch(at + 1, atMs, said);
  });
  return { batches, truth };
}

/** What befalls a delivery: how many batches a message has, an eviction, a round, one that fails, time that passes. */
const fate = fc.record({
  size: fc.integer({ min: 1, max: 4 }),
  evicted: fc.boolean(),
  round: fc.constantFrom('none', 'done', 'failed'),
  passesMs: fc.integer({ min: 0, max: 3 * 3_600_000 }),
});

async function befall(runner: MeteredRunner, one: { evicted: boolean; round: string }): Promise<void> {
  if (one.evicted) runner.evict();
  if (one.round === 'done') await runner.round();
  if (one.round !== 'failed') return;
  // The database is gone after its first batch of this round.
  const { db } = runner.ctx;
  let left = 1;
  const failing = new Proxy(db, {
    get: (target, name) => {
      if (name === 'batch' && left-- <= 0) return () => Promise.reject(new Error('no database'));
      const member = Reflect.get(target, name);
      return typeof member === 'function' ? member.bind(target) : member;
    },
  });
  await runner.round({ ...runner.ctx, db: failing }).catch(() => {});
}

it('counts every byte once, whatever is doubled, reordered, evicted or fails', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(moment, { minLength: 1, maxLength: 16 }),
      fc.array(fate, { minLength: 1, maxLength: 12 }),
      fc.infiniteStream(fc.nat({ max: 1_000 })),
      async (moments, fates, draws) => {
        const runner = new MeteredRunner();
        const ids = [await addPort(runner), await addPort(runner)];
        const { batches, truth } = spoolOf(moments, ids, 'e');
        const draw = (max: number) => (draws.next().value as number) % max;
        // Each batch at least once, in any order, by one session that began with the first.
        const order = [...batches, ...batches.filter(() => draw(3) === 0)]
          .map((one) => ({ one, at: draw(1_000) }))
          .sort((a, b) => a.at - b.at)
          .map(({ one }) => one);
        order.unshift(batches[0] as SampleBatch);
        runner.nowMs = (batches.at(-1)?.at_ms ?? T0) + 1;
        let ack = 0;
        for (let at = 0, turn = 0; at < order.length; turn += 1) {
          const one = fates[turn % fates.length] as (typeof fates)[number];
          const now = await runner.take(...order.slice(at, at + one.size));
          expect(now).toBeGreaterThanOrEqual(ack);
          ack = now;
          at += one.size;
          runner.nowMs += Math.floor(one.passesMs / 10);
          await befall(runner, one);
        }
        expect(ack).toBe(batches.length);
        runner.nowMs += 2 * DAY_MS;
        await runner.settle();
        expect(await runner.refusals()).toEqual([]);
        for (const [port, id] of ids.entries()) expect(await runner.sum(id, METER)).toBe(truth[port]);
      },
    ),
    { numRuns: 20 },
  );
});

it('counts every byte once of machines that are silent for days, over which all that is old is let go of', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(moment, { minLength: 1, maxLength: 16 }),
      fc.array(
        fc.record({
          ...{
            silentMs: fc.integer({ min: 0, max: 9 * DAY_MS }),
            size: fc.integer({ min: 1, max: 8 }),
            evicted: fc.boolean(),
          },
        }),
        {
          minLength: 1,
          maxLength: 6,
        },
      ),
      async (moments, outages) => {
        const runner = new MeteredRunner();
        const ids = [await addPort(runner), await addPort(runner)];
        const { batches, truth } = spoolOf(moments, ids, 'e');
        runner.nowMs = batches.at(-1)?.at_ms ?? T0;
        for (let at = 0, turn = 0; at < batches.length; turn += 1) {
          const { silentMs, size, evicted } = outages[turn % outages.length] as (typeof outages)[number];
          await runner.take(...batches.slice(at, at + size));
          at += size;
          runner.session += 1;
          if (runner.nowMs < T0 + 20 * DAY_MS) runner.nowMs += silentMs;
          if (evicted) runner.evict();
          await runner.settle();
        }
        runner.nowMs += 10 * DAY_MS;
        await runner.settle();
        expect(await runner.refusals()).toEqual([]);
        for (const [port, id] of ids.entries()) expect(await runner.sum(id, METER)).toBe(truth[port]);
      },
    ),
    { numRuns: 12 },
  );
});

it('counts a resource that moves between machines whole, with what each of them saw', async () => {
  const first = new MeteredRunner();
  const second = new MeteredRunner(first.region);
  const id = await addPort(first);
  first.nowMs = second.nowMs = T0 + DAY_MS;
  await first.take(batch(1, T0 + 10_000, { [id]: ['a', 700] }), batch(2, T0 + 20_000, { [id]: ['a', 1_000] }));
  await first.ctx.db.run(sql`UPDATE ports SET runner_id = ${second.runnerId} WHERE id = ${id}`);
  await second.take(batch(1, T0 + 25_000, { [id]: ['b', 50] }), batch(2, T0 + 35_000, { [id]: ['b', 90] }));
  // The last that the first machine counted comes late.
  await first.take(batch(3, T0 + 24_000, { [id]: ['a', 1_200] }));
  first.nowMs = second.nowMs = T0 + 3 * DAY_MS;
  await first.settle();
  await second.settle();
  expect(await first.sum(id, METER)).toBe(1_290);
});
