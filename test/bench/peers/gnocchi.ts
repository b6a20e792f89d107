import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '../../../home/until.ts';
import { run } from '../../../runner/host/run.ts';
import type { Site } from './site.ts';

const UPGRADE_MS = 120_000;
const PROCESSED_WITHIN_MS = 900_000;
const BASIC = { authorization: `Basic ${Buffer.from('admin:').toString('base64')}` };

/** Gnocchi with files for samples and PostgreSQL for its index, on two cores. */
export interface Gnocchi {
  url: string;
  call<T>(method: string, path: string, body?: unknown): Promise<T>;
  /** Starts what works up samples that were taken. */
  process(): void;
  /** Waits until all samples that were taken are worked up. */
  processed(): Promise<void>;
}

export async function startGnocchi(site: Site): Promise<Gnocchi> {
  const database = await site.database('gnocchi');
  const folders = ['incoming', 'measures'].map((name) => join(site.folder, name));
  for (const folder of folders) mkdirSync(join(folder, 'tmp'), { recursive: true });
  const config = site.write(
    'gnocchi.conf',
    `[DEFAULT]
coordination_url = ${database}
parallel_operations = 2
[api]
auth_mode = basic
paste_config = ${site.file('usr/share/gnocchi-common/api-paste.ini')}
max_limit = 20000
[indexer]
url = ${database}
[incoming]
driver = file
file_basepath = ${folders[0]}
[storage]
driver = file
file_basepath = ${folders[1]}
[metricd]
workers = 2
metric_processing_delay = 1
[oslo_policy]
policy_file = ${site.file('usr/share/gnocchi-common/policy.json')}
`,
  );
  await run('gnocchi-upgrade', ['--config-file', config], { env: site.env, timeout_ms: UPGRADE_MS });
  const url = await site.serve('gnocchi-api', 'gnocchi.rest.wsgi', config);
  const call = async <T>(method: string, path: string, body?: unknown): Promise<T> => {
    const headers = { ...BASIC, 'content-type': 'application/json' };
    const answer = await fetch(`${url}/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`gnocchi: ${method} ${path}: ${answer.status} ${text.slice(0, 500)}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  };
  return {
    url,
    call,
    process: () => site.start('gnocchi-metricd', 'gnocchi-metricd', ['--config-file', config]),
    processed: () =>
      until('gnocchi to have processed all', PROCESSED_WITHIN_MS, async () => {
        const { storage } = await call<{ storage: { summary: { measures: number } } }>('GET', '/status?details=false');
        return storage.summary.measures === 0;
      }),
  };
}

/** Keeps points for as long as the house does, by one method: the least that there can be. */
export const archivePolicy = (name: string, method: string, periods: [number, number][]) => ({
  name,
  back_window: 0,
  aggregation_methods: [method],
  definition: periods.map(([granularity, points]) => ({ granularity: `${granularity}s`, points })),
});
