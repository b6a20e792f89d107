import { describe, expect, it } from 'vitest';
import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import { capturedLog } from '../testing/captured-log.ts';
import { VirtualTime } from '../testing/virtual-time.ts';
import { EdgeTime } from './edge-time.ts';
import { Sampler } from './sampler.ts';

const DAY_MS = 86_400_000;
const YEAR_MS = 365 * DAY_MS;

/** The edge's time is that of the test; the machine's clock is ahead of it by what the test says. */
function setUp(o: { startMs?: number; wallAheadMs?: number; collectMs?: number } = {}) {
  const time = new VirtualTime(o.startMs ?? 1_003_000);
  const wall = { aheadMs: o.wallAheadMs ?? 0 };
  const edgeTime = new EdgeTime({ nowMs: () => time.nowMs() + wall.aheadMs }, () => time.nowMs(), 0);
  const taken: number[] = [];
  const state = { collectMs: o.collectMs ?? 0, fails: false };
  const sampler = new Sampler({
    edgeTime,
    time,
    log: capturedLog(),
    collect: async () => {
      if (state.fails) throw new Error('x');
      if (state.collectMs > 0) await new Promise<void>((resolve) => time.after(state.collectMs, resolve));
      return [];
    },
    take: async (atMs) => void taken.push(atMs),
  });
  const told = (ms: number) => {
    const guess = !edgeTime.isTold;
    const moved = edgeTime.told(ms);
    if (moved !== 0) sampler.moved(guess ? moved : 0);
    return moved;
  };
  return { time, wall, edgeTime, sampler, taken, state, told };
}
const boundaries = (fromMs: number, count: number) =>
  Array.from({ length: count }, (_, at) => fromMs + at * SAMPLE_EVERY_MS);

describe('the sampler', () => {
  it('samples each boundary of the edge once', async () => {
    const { sampler, time, taken } = setUp();
    sampler.start();
    await time.pass(100_000);
    expect(taken).toEqual(boundaries(1_010_000, 10));
    await sampler.stop();
    await time.pass(50_000);
    expect(taken).toHaveLength(10);
  });

  it('does not drift or pile up when reading is slow, and says when a late one was', async () => {
    const { sampler, time, taken, state } = setUp({ collectMs: 4_000 });
    sampler.start();
    await time.pass(48_000);
    expect(taken).toEqual(boundaries(1_010_000, 4));
    state.collectMs = 12_500;
    await time.pass(40_000);
    state.collectMs = 0;
    await time.pass(20_000);
    // From 1,060,000 one takes until 1,072,500, when the next is due already, and so on; then it is on time again.
    expect(taken.slice(4)).toEqual([1_050_000, 1_060_000, 1_072_500, 1_085_000, 1_097_500, 1_100_000, 1_110_000]);
  });

  it('goes on when a sample fails', async () => {
    const { sampler, time, taken, state } = setUp();
    state.fails = true;
    sampler.start();
    await time.pass(20_000);
    state.fails = false;
    await time.pass(20_000);
    expect(taken).toEqual(boundaries(1_030_000, 2));
  });

  it("neither skips nor doubles when the machine's clock jumps, whichever way", async () => {
    const { sampler, time, taken, wall, told } = setUp();
    sampler.start();
    told(time.nowMs());
    for (const jumpMs of [YEAR_MS, -YEAR_MS, 3_000, -14_000]) {
      wall.aheadMs += jumpMs;
      await time.pass(30_000);
      expect(told(time.nowMs() - 80)).toBe(0);
    }
    expect(taken).toEqual(boundaries(1_010_000, 12));
  });

  it("learns the edge's time where the machine's is a year wrong", async () => {
    const { sampler, time, taken, told } = setUp({ wallAheadMs: YEAR_MS });
    sampler.start();
    await time.pass(20_000);
    expect(taken[0]).toBeGreaterThan(YEAR_MS);
    expect(told(time.nowMs())).toBe(-YEAR_MS);
    taken.length = 0;
    await time.pass(30_000);
    expect(taken).toEqual(boundaries(1_030_000, 3));
  });

  it('waits for a time of the edge that went back a little, and takes one that went back far', async () => {
    const { sampler, time, edgeTime, taken, told } = setUp({ startMs: 10 * DAY_MS });
    sampler.start();
    told(time.nowMs());
    await time.pass(30_000);
    expect(taken).toEqual(boundaries(10 * DAY_MS, 4));
    told(time.nowMs() - 25_000);
    await time.pass(40_000);
    expect(taken).toEqual(boundaries(10 * DAY_MS, 5));
    told(edgeTime.nowMs() - DAY_MS);
    await time.pass(20_000);
    expect(taken.slice(5)).toEqual(boundaries(9 * DAY_MS + 50_000, 2));
  });

  it('skips no boundary by which the time is put forward', async () => {
    const { sampler, time, edgeTime, taken, told } = setUp({ startMs: 10 * DAY_MS });
    sampler.start();
    told(time.nowMs());
    await time.pass(19_500);
    // Past a boundary, and then between two.
    told(edgeTime.nowMs() + 1_200);
    await time.pass(10_000);
    told(edgeTime.nowMs() + 7_000);
    await time.pass(10_000);
    // Far past: one sample, that says when it was.
    told(edgeTime.nowMs() + 100_000);
    await time.pass(0);
    expect(taken).toEqual([...boundaries(10 * DAY_MS, 5), 10 * DAY_MS + 147_700]);
  });
});
