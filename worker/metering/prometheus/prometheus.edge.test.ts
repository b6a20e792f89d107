import { expect, it } from 'vitest';
import { meterProgress, meterRefusals } from '../../../db/schema/metering.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { EXPOSITION_TYPE } from './render-exposition.ts';

it('tells an operator of machines, servers and what waits, of this region alone', async () => {
  const [cloud, other] = [await ComputeCloud.open(), await ComputeCloud.open()];
  await other.addRunner({ name: 'elsewhere' });
  const runnerId = await cloud.addRunner({ name: 'host "1"', guests: 3 });
  await cloud.addRunner({ name: 'gone', state: 'removed' });
  await cloud.addRunner({ name: 'silent', state: 'disabled', connected: false });
  const { region } = cloud;
  await cloud.create();
  await cloud.ctx.db.insert(meterProgress).values({ runnerId, region, sealedThroughMs: 1_700_000_000_500 });
  const refused = { region, runnerId, resourceType: 'port', resourceId: 'p', meter: 'm', firstAtMs: 1, lastAtMs: 2 };
  await cloud.ctx.db.insert(meterRefusals).values([
    { ...refused, id: crypto.randomUUID(), reason: 'fell', count: 2, lastValue: '1' },
    { ...refused, id: crypto.randomUUID(), reason: 'fell', resourceId: 'q', count: 5, lastValue: '1' },
  ]);
  const { token } = cloud.admin;
  const response = await call('GET', `/r/${region}/aerostat/v1/metering/prometheus`, { token });
  expect(response.headers.get('content-type')).toBe(EXPOSITION_TYPE);
  const text = await response.text();
  const lines = text.split('\n');
  const host = (name: string) => `aerostat_runner_${name}{runner="host \\"1\\"",zone="nova"}`;
  for (const line of [
    `${host('up')} 1`,
    `${host('servers')} 3`,
    `${host('memory_bytes')} 5368709120`,
    `${host('vcpus_claimed')} 1`,
    `${host('metered_through_seconds')} 1700000000.5`,
    'aerostat_runner_up{runner="silent",zone="nova"} 0',
    'aerostat_runner_enabled{runner="silent",zone="nova"} 0',
    'aerostat_servers{state="building"} 1',
    'aerostat_meter_refusals_total{runner="host \\"1\\"",reason="fell"} 7',
    'aerostat_webhook_deliveries_pending 0',
  ])
    expect(lines).toContain(line);
  expect(text).not.toMatch(/elsewhere|"gone"|metered_through_seconds\{runner="silent"/);
  // What its object waits for is what the machine has not said.
  expect(lines).toContain(`${host('objects_pending')} 1`);
});
