import { env, runInDurableObject } from 'cloudflare:test';
import { and, eq } from 'drizzle-orm';
import { servers } from '../db/schema/compute.ts';
import { meterProgress, meterRefusals, meterWindows } from '../db/schema/metering.ts';
import { networks, ports } from '../db/schema/network.ts';
import type { SampleBatch } from '../shared/protocol/messages.ts';
import type { Env } from '../worker/env.ts';
import type { Context } from '../worker/http/context.ts';
import { type RunnerMeter, runnerMeter } from '../worker/metering/runner-meter.ts';
import { edgeContext } from './edge-context.ts';

/** A border of hours, far from the machine's own time: nothing here may ask that. */
export const T0 = 1_900_000_800_000 - (1_900_000_800_000 % 3_600_000);

/** A machine's object with its meter, at a time of the test's own, on the lane's own database. */
export class MeteredRunner {
  readonly region: string;
  readonly runnerId = crypto.randomUUID();
  nowMs = T0;
  session = 1;
  spool = 'spool';
  ctx: Context;
  #meter: RunnerMeter | null = null;

  constructor(region = `m${crypto.randomUUID().slice(0, 8)}`) {
    this.region = region;
    this.ctx = edgeContext({ region, clock: { nowMs: () => this.nowMs } });
  }

  /** Does something with the meter, in the object. */
  inside<T>(work: (meter: RunnerMeter, storage: DurableObjectStorage) => T | Promise<T>): Promise<T> {
    const links = (env as unknown as Env).RUNNER_LINK;
    return runInDurableObject(links.get(links.idFromName(this.runnerId)), (_link, { storage }) => {
      this.#meter ??= runnerMeter(storage);
      return work(this.#meter, storage);
    });
  }

  /** Loses what the object has in memory, as when it is evicted. */
  evict(): void {
    this.#meter = null;
  }

  take(...batches: SampleBatch[]): Promise<number> {
    const message = { type: 'metered' as const, spool_id: this.spool, batches };
    return this.inside((meter) =>
      meter.take(this.ctx, { runnerId: this.runnerId, session: String(this.session), message }),
    );
  }

  round(ctx = this.ctx): Promise<void> {
    return this.inside((meter) => meter.round(ctx));
  }

  /** Does rounds until none is due soon. */
  async settle(): Promise<void> {
    for (let left = 200; left > 0; left -= 1) {
      await this.round();
      const due = await this.inside((meter) => meter.dueMs(this.nowMs));
      if (due === null || due > this.nowMs + 30_000) return;
    }
    throw new Error('the rounds do not come to an end');
  }

  windows(resource: string) {
    const its = and(eq(meterWindows.resourceId, resource), eq(meterWindows.runnerId, this.runnerId));
    return this.ctx.db.select().from(meterWindows).where(its).orderBy(meterWindows.meter, meterWindows.startMs);
  }

  /** What all windows of a meter amount to, of all machines. */
  async sum(resource: string, meter: string): Promise<number> {
    const its = and(eq(meterWindows.resourceId, resource), eq(meterWindows.meter, meter));
    const rows = await this.ctx.db.select({ value: meterWindows.value }).from(meterWindows).where(its);
    return rows.reduce((sum, { value }) => sum + value, 0);
  }

  refusals() {
    return this.ctx.db.select().from(meterRefusals).where(eq(meterRefusals.runnerId, this.runnerId));
  }

  async sealedThrough(): Promise<number | undefined> {
    const its = eq(meterProgress.runnerId, this.runnerId);
    return (await this.ctx.db.select().from(meterProgress).where(its))[0]?.sealedThroughMs;
  }
}

/** A port that a machine has. */
export async function addPort(
  of: { region: string; ctx: Context; runnerId: string },
  more: { projectId?: string; createdAtMs?: number } = {},
): Promise<string> {
  const [id, networkId] = [crypto.randomUUID(), crypto.randomUUID()];
  const { region, runnerId } = of;
  const row = { region, projectId: 'p', createdAtMs: T0, updatedAtMs: T0, ...more };
  await of.ctx.db.batch([
    of.ctx.db.insert(networks).values({ ...row, id: networkId }),
    of.ctx.db.insert(ports).values({ ...row, id, networkId, macAddress: id, runnerId }),
  ]);
  return id;
}

/** A server that a machine has. */
export async function addServer(
  of: { region: string; ctx: Context; runnerId: string },
  more: Partial<typeof servers.$inferInsert> = {},
): Promise<string> {
  const id = crypto.randomUUID();
  const { region, runnerId } = of;
  const size = { vcpus: 1, ramMib: 1, diskGib: 1, ephemeralGib: 0, swapMib: 0, extraSpecs: {} };
  await of.ctx.db.insert(servers).values({
    ...{ id, region, runnerId, projectId: 'p', userId: 'u', name: 's', hostname: 's', imageId: 'i', zone: 'z' },
    ...{ number: crypto.getRandomValues(new Uint32Array(1))[0] as number, flavor: { id: 'f', name: 'small', ...size } },
    ...{ reservationId: 'x', vmState: 'active', createdAtMs: T0, updatedAtMs: T0 },
    ...more,
  });
  return id;
}

/** One moment of ports' incoming bytes. */
export const batch = (
  seq: number,
  atMs: number,
  samples: Record<string, number | [epoch: string, bytes: number]>,
): SampleBatch => ({
  seq,
  at_ms: atMs,
  boot_id: 'b',
  samples: Object.entries(samples).map(([id, said]) => {
    const [epoch, bytes] = typeof said === 'number' ? ['e', said] : said;
    return { type: 'port', id, epoch, values: { 'network.incoming.bytes': bytes } };
  }),
});
