import { describe, expect, it } from 'vitest';
import type { Timers } from '../../../shared/clock.ts';
import { addPort, batch, MeteredRunner, T0 } from '../../../test/edge-meter.ts';
import {
  LIVE_KEEP_ALIVE_MS,
  LIVE_SILENT_MS,
  LIVE_STREAMS_MAX,
  LIVE_STREAMS_PROJECT_MAX,
  RAW_KEPT_MS,
} from '../limits.ts';
import type { RunnerMeter } from '../runner-meter.ts';
import { runnerMeter } from '../runner-meter.ts';
import type { Arrival, LiveFrom } from './arrivals.ts';
import { type LiveAsked, liveStreams } from './live-streams.ts';

const SETTLE_MS = 20;
const METER = 'network.incoming.bytes' as const;

/** Time that the test lets pass. */
function steppedTimers() {
  const waiting = new Map<number, { atMs: number; run: () => void }>();
  let [nowMs, next] = [T0, 0];
  const timers: Timers = {
    nowMs: () => nowMs,
    after(delayMs, run) {
      const key = next++;
      waiting.set(key, { atMs: nowMs + delayMs, run });
      return () => waiting.delete(key);
    },
  };
  const pass = async (ms: number) => {
    for (const untilMs = nowMs + ms; nowMs < untilMs; ) {
      // Whoever has read a line, or written one, is let know of it.
      await scheduler.wait(SETTLE_MS);
      nowMs = Math.min(untilMs, ...[...waiting.values()].map(({ atMs }) => atMs));
      for (const [key, { atMs, run }] of waiting) if (atMs <= nowMs && waiting.delete(key)) run();
    }
    await scheduler.wait(SETTLE_MS);
  };
  return { timers, pass, waiting };
}

/** Streams on the meter of a machine that has a port; all is done inside its object. */
async function staged<T>(
  work: (
    stage: { one: MeteredRunner; port: string; take: (...of: [number, number][]) => Promise<unknown> } & Opened,
  ) => T,
): Promise<Awaited<T>> {
  const one = new MeteredRunner();
  const port = await addPort(one);
  return (await one.inside(async (meter) => {
    let seq = 0;
    const take = (...of: [number, number][]) => {
      one.nowMs = Math.max(one.nowMs, ...of.map(([step]) => T0 + step * 10_000));
      const batches = of.map(([step, bytes]) => batch(++seq, T0 + step * 10_000, { [port]: bytes }));
      const message = { type: 'metered' as const, spool_id: 's', batches };
      return meter.take(one.ctx, { runnerId: one.runnerId, session: '1', message });
    };
    return work({ one, port, take, ...opened(meter, port) });
  })) as Awaited<T>;
}

type Opened = ReturnType<typeof opened>;
function opened(meter: RunnerMeter, port: string) {
  const { timers, pass, waiting } = steppedTimers();
  const streams = liveStreams(meter, timers);
  const asked = (of: Partial<LiveAsked> = {}): LiveAsked => ({
    ...{ id: crypto.randomUUID(), project: 'p', from: null, untilMs: T0 * 2 },
    watched: [{ type: 'port', resource: port, meters: [METER] }],
    ...of,
  });
  const open = (of: Partial<LiveAsked> = {}) => {
    const stream = streams.open(asked(of));
    if (!stream) return null;
    const reader = stream.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    const line = async () => {
      while (!rest.includes('\n')) {
        const { done, value } = await reader.read();
        if (done) return null;
        rest += value;
      }
      const at = rest.indexOf('\n');
      const text = rest.slice(0, at);
      rest = rest.slice(at + 1);
      return JSON.parse(text) as Arrival & { gap?: boolean };
    };
    return { line, cancel: () => reader.cancel() };
  };
  return { meter, streams, open, pass, waiting };
}

describe('streams of a machine', () => {
  it('are so many at once, and of a project', () =>
    staged(({ open, streams }) => {
      const all = Array.from({ length: LIVE_STREAMS_PROJECT_MAX }, () => open());
      expect(all).not.toContain(null);
      expect(open()).toBeNull();
      for (let count = LIVE_STREAMS_PROJECT_MAX; count < LIVE_STREAMS_MAX; count += 1)
        expect(open({ project: `p${Math.floor(count / LIVE_STREAMS_PROJECT_MAX)}` })).not.toBeNull();
      expect(open({ project: 'other' })).toBeNull();
      expect(streams.count()).toBe(LIVE_STREAMS_MAX);
    }));

  it('show that they are alive, and end when nothing was heard for long', () =>
    staged(async ({ open, pass, take, streams, waiting }) => {
      const stream = open();
      expect(await stream?.line()).toEqual({ n: 0, atMs: T0, gap: false });
      await pass(LIVE_KEEP_ALIVE_MS);
      expect(await stream?.line()).toEqual({ n: 0, atMs: T0, gap: false });
      await take([1, 5]);
      streams.wake();
      expect((await stream?.line())?.points).toMatchObject([{ v: 5 }]);
      const read = (async () => {
        let lines = 0;
        while ((await stream?.line()) !== null) lines += 1;
        return lines;
      })();
      await pass(LIVE_SILENT_MS + LIVE_KEEP_ALIVE_MS);
      expect(await read).toBe(LIVE_SILENT_MS / LIVE_KEEP_ALIVE_MS - 1);
      expect([streams.count(), waiting.size]).toEqual([0, 0]);
    }));

  it('end with their time, and by their name', () =>
    staged(async ({ open, pass, streams }) => {
      const [short, named, other] = [open({ untilMs: T0 + 1_000 }), open({ id: 'mine' }), open()];
      for (const stream of [short, named, other]) await stream?.line();
      await pass(1_000);
      expect(await short?.line()).toBeNull();
      streams.end('mine');
      await expect(named?.line()).rejects.toThrow();
      expect(streams.count()).toBe(1);
    }));

  it('hold nothing for a reader that is slow: it finds all when it reads on', () =>
    staged(async ({ open, take, streams }) => {
      const stream = open();
      for (let step = 1; step <= 300; step += 1) {
        await take([step, step]);
        streams.wake();
      }
      await stream?.line();
      for (let step = 1; step <= 300; step += 1) expect((await stream?.line())?.points[0]?.v).toBe(step);
    }));

  it('pass over what others told, however much', () =>
    staged(async ({ open, take, meter, one, port, streams }) => {
      const stranger = await addPort(one);
      const stream = open();
      await stream?.line();
      for (let at = 1; at <= 250; at += 1) {
        one.nowMs = T0 + at * 10_000;
        const said = batch(at, one.nowMs, { [stranger]: at });
        const message = { type: 'metered' as const, spool_id: 'other', batches: [said] };
        await meter.take(one.ctx, { runnerId: one.runnerId, session: '1', message });
      }
      await take([251, 9]);
      streams.wake();
      expect(await stream?.line()).toMatchObject({ n: 251, points: [{ resource: port, v: 9 }] });
    }));
});

describe('who goes on', () => {
  const begins = (meter: RunnerMeter, from: LiveFrom) => meter.liveFrom(from);

  it('from before what is kept is told that there is a gap', () =>
    staged(async ({ one, take, meter }) => {
      await take([1, 1], [2, 2]);
      expect(begins(meter, { n: 1, atMs: 0 })).toEqual({ n: 1, atMs: 0, gap: false });
      one.nowMs = T0 + RAW_KEPT_MS + 60_000;
      await take([1_086, 3]);
      expect(begins(meter, { n: 1, atMs: 0 })).toEqual({ n: 2, atMs: 0, gap: true });
      expect(begins(meter, { n: 2, atMs: 0 })).toEqual({ n: 2, atMs: 0, gap: false });
      expect(begins(meter, { n: null, atMs: T0 })).toMatchObject({ n: 2, gap: true });
    }));

  it('with a number of another life of the storage goes on by time', () =>
    staged(async ({ take, meter }) => {
      await take([1, 1]);
      await take([2, 2]);
      expect(begins(meter, { n: 99, atMs: T0 + 15_000 })).toEqual({ n: 1, atMs: T0 + 15_000, gap: false });
    }));

  it('is right with a book of the release before', async () => {
    const one = new MeteredRunner();
    const port = await addPort(one);
    const said = await one.inside(async (_meter, storage) => {
      storage.sql.exec(
        'CREATE TABLE meter_points (series INTEGER NOT NULL, t INTEGER NOT NULL, v INTEGER NOT NULL, PRIMARY KEY (series, t)) WITHOUT ROWID',
      );
      const meter = runnerMeter(storage);
      const message = { type: 'metered' as const, spool_id: 's', batches: [batch(1, T0 + 10_000, { [port]: 4 })] };
      await meter.take(one.ctx, { runnerId: one.runnerId, session: '1', message });
      return meter.nextArrival([{ type: 'port', resource: port, meters: [METER] }], 0);
    });
    expect(said).toMatchObject({ n: 1, points: [{ v: 4, rose: 4, overMs: 10_000 }] });
  });
});
