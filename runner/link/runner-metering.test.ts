import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { systemTimers } from '../../shared/clock.ts';
import { randomIds } from '../../shared/ids.ts';
import { MESSAGE_BYTES_MAX } from '../../shared/limits.ts';
import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import { Spool } from '../metering/spool/spool.ts';
import { capturedLog } from '../testing/captured-log.ts';
import type { FakeEdge } from '../testing/fake-edge.ts';
import { startEdge, startRunner } from '../testing/live-runner.ts';
import { id } from '../testing/specs.ts';
import { temporaryFolder } from '../testing/temporary-folder.ts';
import { running, wholeGuest } from '../testing/whole-guest.ts';

const METER = 'network.incoming.bytes';
const BATCHES = 800;

/** The folder of a runner that could not reach its edge for hours. */
function afterAnOutage(batches = BATCHES): string {
  const folder = temporaryFolder();
  const spool = new Spool({ path: join(folder, 'meters.db'), clock: systemTimers, ids: randomIds, log: capturedLog() });
  for (let at = 1; at <= batches; at++) {
    const samples = Array.from({ length: 20 }, (_, port) => ({
      type: 'port',
      id: id(port),
      epoch: 'e',
      values: { [METER]: at * port },
    }));
    spool.append(at * SAMPLE_EVERY_MS, 'boot-0', samples);
  }
  spool.close();
  return folder;
}

const all = (edge: FakeEdge, batches = BATCHES) => edge.meters?.told.sum(id(19), METER) === 19 * batches;
const sizes = (edge: FakeEdge) => edge.heard('metered').map((message) => message.batches.length);

describe.each(['websocket', 'poll'] as const)('samples of an outage, over the %s', (transport) => {
  it('come once and in order, one message at a time, each within its bounds', async () => {
    const edge = await startEdge();
    edge.refuseUpgrades = transport === 'poll';
    const { bearers } = startRunner(edge, { folder: afterAnOutage() });
    await edge.until('all samples', () => all(edge));
    expect(edge.live?.transport).toBe(transport);
    expect(bearers).toHaveLength(1);
    // The first alone, to see whether the edge knows samples.
    expect(sizes(edge)[0]).toBe(1);
    expect(Math.max(...sizes(edge))).toBeLessThanOrEqual(360);
    for (const message of edge.heard('metered')) {
      expect(JSON.stringify(message).length).toBeLessThan(MESSAGE_BYTES_MAX / 4);
    }
    expect(edge.meters?.times.slice(0, BATCHES)).toEqual(
      Array.from({ length: BATCHES }, (_, at) => (at + 1) * SAMPLE_EVERY_MS),
    );
    for (const port of [0, 7, 19]) expect(edge.meters?.told.sum(id(port), METER)).toBe(port * BATCHES);
  });

  it('come once also when acknowledgements are lost with their sessions', async () => {
    const edge = await startEdge();
    edge.refuseUpgrades = transport === 'poll';
    edge.ackLosses = 3;
    startRunner(edge, { folder: afterAnOutage() });
    await edge.until('all samples', () => all(edge));
    expect(edge.sessions.filter((one) => one.epoch > 0).length).toBeGreaterThanOrEqual(4);
    expect(edge.meters?.told.sum(id(7), METER)).toBe(7 * BATCHES);
  });
});

it('an edge that knows no samples hears of one batch, and all else works as ever', async () => {
  const edge = await startEdge();
  edge.meters = null;
  const { log } = startRunner(edge, { folder: afterAnOutage(50) });
  await edge.want(wholeGuest);
  await running(edge);
  await edge.until('the samples', () => edge.heard('metered').length > 0);
  expect(sizes(edge)).toEqual([1]);
  expect(log.lines.filter((line) => line.level === 'error')).toEqual([]);
});

it('samples of guests reach the edge as they are taken', async () => {
  const edge = await startEdge();
  startRunner(edge);
  await edge.want(wholeGuest);
  await running(edge);
  const has = (type: string) =>
    edge
      .heard('metered')
      .some(({ batches }) => batches.some((one) => one.samples.some((sample) => sample.type === type)));
  await edge.until('samples', () => ['server', 'port', 'runner'].every(has));
  const [batch] = edge.heard('metered').at(-1)?.batches.slice(-1) ?? [];
  expect(batch?.boot_id).toBe('boot-1');
  expect(Number(batch?.at_ms) % SAMPLE_EVERY_MS).toBe(0);
});
