import { eq } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { meterWindows } from '../../db/schema/metering.ts';
import { addPort, addServer, batch, MeteredRunner, T0 } from '../../test/edge-meter.ts';
import { LONG_GONE_MS, SEAL_GRACE_MS } from './limits.ts';

const HOUR_MS = 3_600_000;
let runner: MeteredRunner;
let port: string;

beforeEach(async () => {
  runner = new MeteredRunner();
  port = await addPort(runner, { projectId: 'apollo' });
  runner.nowMs = T0 + 10_000;
});

/** A sample each ten seconds of an hour, each a byte more; the last at its end. */
const hour = (seq: number, startMs: number, from: number) =>
  Array.from({ length: 360 }, (_, at) => batch(seq + at, startMs + (at + 1) * 10_000, { [port]: from + at + 1 }));

describe('an hour', () => {
  it('is sealed once it is over and the machine has spoken past its end, with what was used in it', async () => {
    runner.nowMs = T0 + HOUR_MS;
    await runner.take(...hour(1, T0, 0));
    await runner.round();
    expect(await runner.windows(port)).toEqual([]);
    runner.nowMs += SEAL_GRACE_MS;
    await runner.round();
    expect(await runner.windows(port)).toEqual([
      {
        ...{
          region: runner.region,
          projectId: 'apollo',
          resourceType: 'port',
          resourceId: port,
          runnerId: runner.runnerId,
        },
        ...{ meter: 'network.incoming.bytes', startMs: T0, value: 360, coverage: 10_000, revision: 1 },
        sealedAtMs: runner.nowMs,
      },
    ]);
    expect(await runner.sealedThrough()).toBe(T0 + HOUR_MS);
  });

  it('is not sealed while the machine is silent, and no progress is told', async () => {
    await runner.take(batch(1, T0 + 10_000, { [port]: 5 }));
    runner.nowMs = T0 + 3 * HOUR_MS;
    await runner.round();
    expect(await runner.windows(port)).toEqual([]);
    expect((await runner.sealedThrough()) ?? T0).toBeLessThanOrEqual(T0);
  });

  it('is sealed as it is when the machine is long gone, and says how much of it is known', async () => {
    runner.nowMs = T0 + 900_000;
    await runner.take(...hour(1, T0, 0).slice(0, 90));
    runner.nowMs = T0 + HOUR_MS + LONG_GONE_MS;
    await runner.round();
    expect(await runner.windows(port)).toMatchObject([{ startMs: T0, value: 90, coverage: 2_500, revision: 1 }]);
    // It comes back, with all that it spooled: what is new raises the revision.
    await runner.take(...hour(1, T0, 0).slice(90));
    await runner.settle();
    expect(await runner.windows(port)).toMatchObject([{ startMs: T0, value: 360, coverage: 10_000, revision: 2 }]);
  });

  it('has a revision more for late samples that change it, and none for a round that changes nothing', async () => {
    const all = hour(1, T0, 0);
    runner.nowMs = T0 + HOUR_MS + SEAL_GRACE_MS;
    await runner.take(...all.slice(0, 10), ...all.slice(11), batch(361, T0 + HOUR_MS + 60_000, { [port]: 500 }));
    await runner.round();
    // The gap is not acknowledged, so the machine has not said all that it has.
    expect(await runner.windows(port)).toEqual([]);
    await runner.take(all[10] as (typeof all)[number]);
    await runner.take(batch(361, T0 + HOUR_MS + 60_000, { [port]: 500 }));
    await runner.round();
    await runner.round();
    expect(await runner.windows(port)).toMatchObject([{ value: 360, revision: 1 }]);
  });

  it('divides what a gap of samples counted by time, to the last byte', async () => {
    runner.nowMs = T0 + 3 * HOUR_MS + SEAL_GRACE_MS;
    await runner.take(batch(1, T0 + HOUR_MS / 2, { [port]: 0 }), batch(2, T0 + 3 * HOUR_MS, { [port]: 1_000 }));
    await runner.settle();
    const values = (await runner.windows(port)).map(({ value }) => value);
    expect(values).toEqual([200, 400, 400]);
  });

  it('holds the mean of a gauge, by the time that each reading stands for', async () => {
    const server = await addServer(runner);
    const at = (seq: number, s: number, bytes: number) => ({
      ...batch(seq, T0 + s * 1_000, {}),
      samples: [{ type: 'server', id: server, epoch: 'e', values: { 'memory.usage': bytes } }],
    });
    runner.nowMs = T0 + HOUR_MS + SEAL_GRACE_MS;
    // 10 s at 100, 30 s at 500; then silence until a reading that stands for its last minute alone.
    await runner.take(at(1, 10, 100), at(2, 40, 500), at(3, 3_600, 1_000));
    await runner.round();
    expect(await runner.windows(server)).toMatchObject([
      {
        meter: 'memory.usage',
        value: Math.floor((10 * 100 + 30 * 500 + 60 * 1_000) / 100),
        coverage: Math.floor((100 / 3_600) * 10_000),
      },
    ]);
  });
});

describe('faults', () => {
  it('are survived: the database is gone at any statement of a round', async () => {
    const ports = [port, await addPort(runner), await addPort(runner)];
    runner.nowMs = T0 + 2 * HOUR_MS + SEAL_GRACE_MS;
    const values = Object.fromEntries(ports.map((id, at) => [id, 1_000 * (at + 1)]));
    await runner.take(batch(1, T0 + 10_000, values), batch(2, T0 + 2 * HOUR_MS, values));
    for (let works = 0; works < 6; works += 1) {
      let left = works;
      const db = new Proxy(runner.ctx.db, {
        get: (target, name) => {
          if (name === 'batch' && left-- <= 0) return () => Promise.reject(new Error('no database'));
          const member = Reflect.get(target, name);
          return typeof member === 'function' ? member.bind(target) : member;
        },
      });
      await runner.round({ ...runner.ctx, db }).catch(() => {});
      runner.evict();
    }
    await runner.settle();
    for (const [at, id] of ports.entries()) {
      expect(await runner.sum(id, 'network.incoming.bytes')).toBe(1_000 * (at + 1));
      expect((await runner.windows(id)).map(({ revision }) => revision)).toEqual([1, 1]);
    }
    expect(await runner.sealedThrough()).toBe(T0 + 2 * HOUR_MS);
  });

  it('are survived: the database is gone when samples come, and nothing is acknowledged', async () => {
    const { db } = runner.ctx;
    const gone = { ...runner.ctx, db: { all: () => Promise.reject(new Error('no database')) } as unknown as typeof db };
    const message = { type: 'metered' as const, spool_id: 'spool', batches: [batch(1, T0 + 10_000, { [port]: 7 })] };
    const of = { runnerId: runner.runnerId, session: '1', message };
    await expect(runner.inside((meter) => meter.take(gone, of))).rejects.toThrow('no database');
    expect(await runner.take(...message.batches)).toBe(1);
    runner.nowMs = T0 + HOUR_MS + LONG_GONE_MS;
    await runner.settle();
    expect(await runner.sum(port, 'network.incoming.bytes')).toBe(7);
  });

  it('do not leave a window half sealed when samples come during a round', async () => {
    runner.nowMs = T0 + HOUR_MS + SEAL_GRACE_MS;
    await runner.take(batch(1, T0 + 10_000, { [port]: 7 }), batch(2, T0 + HOUR_MS + 1, { [port]: 8 }));
    const round = runner.round();
    await runner.take(batch(3, T0 + 20_000, { [port]: 8 }));
    await round;
    await runner.settle();
    const [first] = await runner.ctx.db.select().from(meterWindows).where(eq(meterWindows.resourceId, port));
    expect(first?.value).toBe(8);
  });
});
