import { figure, note } from '../figures.ts';
import { measureCloudkitty } from './cloudkitty.ts';
import { archivePolicy, type Gnocchi, startGnocchi } from './gnocchi.ts';
import { type Site, startSite } from './site.ts';

const SIZES = [1_000, 10_000];
/** Moments of ten seconds: in one request for all metrics of a machine of 100 guests with ten each, as runners say them after an outage. */
const MOMENTS = 30;
const METRICS_PER_REQUEST = 1_000;
const REQUESTS_AT_ONCE = 4;
const EVERY_MS = 10_000;

/** What Gnocchi and CloudKitty, as Debian ships them, do on this machine of the work that `samples` and `rating` measure. */
export async function benchPeers(): Promise<void> {
  const site = await startSite();
  try {
    const gnocchi = await startGnocchi(site);
    await gnocchi.call(
      'POST',
      '/archive_policy',
      archivePolicy('counted', 'mean', [
        [10, 1_080],
        [60, 4_320],
        [3_600, 840],
      ]),
    );
    gnocchi.process();
    for (const size of SIZES) await measureSamples(site, gnocchi, size);
    await measureCloudkitty(site, gnocchi);
  } finally {
    await site.stop();
  }
}

async function measureSamples(site: Site, gnocchi: Gnocchi, size: number): Promise<void> {
  const name = `peer_gnocchi_${size}_metrics`;
  const metrics = await createMetrics(gnocchi, size);
  const startMs = Math.floor(Date.now() / EVERY_MS) * EVERY_MS - 3_600_000;
  const [began, usedBefore] = [performance.now(), site.processorS()];
  const requests: (() => Promise<unknown>)[] = [];
  for (let from = 0; from < size; from += METRICS_PER_REQUEST) {
    const some = metrics.slice(from, from + METRICS_PER_REQUEST);
    const points = (at: number) =>
      Array.from({ length: MOMENTS }, (_, n) => ({
        timestamp: new Date(startMs + n * EVERY_MS).toISOString(),
        value: n * 4_096 + at,
      }));
    const body = Object.fromEntries(some.map((id, at) => [id, points(at)]));
    requests.push(() => gnocchi.call('POST', '/batch/metrics/measures', body));
  }
  const next = async (): Promise<void> => {
    for (let one = requests.shift(); one; one = requests.shift()) await one();
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, next));
  const taken = performance.now();
  await gnocchi.processed();
  const values = size * MOMENTS;
  const usedS = site.processorS() - usedBefore;
  figure(`${name}_taken`, values / ((taken - began) / 1_000), 'values/s');
  figure(`${name}_processed`, values / ((performance.now() - began) / 1_000), 'values/s');
  figure(`${name}_of_processor`, values / usedS, 'values/processor_s');
}

async function createMetrics(gnocchi: Gnocchi, count: number): Promise<string[]> {
  const began = performance.now();
  const metrics: string[] = [];
  while (metrics.length < count) {
    const some = await Promise.all(
      Array.from({ length: Math.min(REQUESTS_AT_ONCE, count - metrics.length) }, () =>
        gnocchi.call<{ id: string }>('POST', '/metric', { archive_policy_name: 'counted' }),
      ),
    );
    metrics.push(...some.map(({ id }) => id));
  }
  note(`${count} metrics were made in ${Math.round((performance.now() - began) / 1_000)} s`);
  return metrics;
}
