import { env, evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { expect, it } from 'vitest';
import type { MessageOf, SampleBatch } from '../../shared/protocol/messages.ts';
import { edgeContext } from '../../test/edge-context.ts';
import { addPort, batch } from '../../test/edge-meter.ts';
import { EdgeRunner, enrol } from '../../test/edge-runner.ts';
import type { Env } from '../env.ts';

const HOUR_MS = 3_600_000;
const ctx = edgeContext();

async function metered() {
  const { runner } = await enrol();
  const link = await EdgeRunner.connect(runner);
  const links = (env as unknown as Env).RUNNER_LINK;
  const port = await addPort(
    { region: ctx.region, ctx, runnerId: runner.id },
    { createdAtMs: Date.now() - 10 * HOUR_MS },
  );
  const say = (spool: string, ...batches: SampleBatch[]) => link.send({ type: 'metered', spool_id: spool, batches });
  const acked = async () => {
    const { spool_id, seq } = (await link.next(({ type }) => type === 'metered-ack')) as MessageOf<'metered-ack'>;
    return [spool_id, seq];
  };
  return { runner, link, stub: links.get(links.idFromName(runner.id)), port, say, acked };
}

it('acknowledges samples once they are kept, through an eviction, and again where they are said again', async () => {
  const { link, stub, port, say, acked } = await metered();
  const startMs = Date.now() - 9 * HOUR_MS;
  const all = [1, 2, 3, 4].map((seq) => batch(seq, startMs + seq * 10_000, { [port]: seq * 100 }));
  say('s', all[0] as SampleBatch, all[1] as SampleBatch);
  expect(await acked()).toEqual(['s', 2]);
  await evictDurableObject(stub);
  say('s', all[3] as SampleBatch);
  expect(await acked()).toEqual(['s', 2]);
  say('s', ...all);
  expect(await acked()).toEqual(['s', 4]);
  link.close();
});

it('seals by its one alarm, which also closes who never says hello', async () => {
  const { runner, link, stub, port, say, acked } = await metered();
  const startMs = Date.now() - 9 * HOUR_MS;
  say('s', batch(1, startMs, { [port]: 0 }), batch(2, Date.now(), { [port]: 9_000 }));
  expect(await acked()).toEqual(['s', 2]);
  const armed = () => runInDurableObject(stub, (_link, { storage }) => storage.getAlarm());
  expect(await armed()).toBeLessThanOrEqual(Date.now() + 60_000);
  const silent = await EdgeRunner.open(runner);
  expect(await runDurableObjectAlarm(stub)).toBe(true);
  const { rows } = (await ctx.db.run(
    `SELECT sum(value) AS value FROM meter_windows WHERE resource_id = '${port}' AND runner_id = '${runner.id}'`,
  )) as unknown as { rows: { value: number }[] };
  // All but what the current hour has.
  expect(rows[0]?.value).toBeGreaterThan(7_000);
  expect(rows[0]?.value).toBeLessThanOrEqual(9_000);
  // The alarm goes on: for the socket without a hello, and for the hours to come.
  expect(await armed()).toBeGreaterThan(Date.now());
  expect(await armed()).toBeLessThanOrEqual(Date.now() + 20_000);
  silent.close();
  link.close();
});
