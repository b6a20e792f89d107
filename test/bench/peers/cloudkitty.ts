import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../../home/free-port.ts';
import { until } from '../../../home/until.ts';
import { run } from '../../../runner/host/run.ts';
import { pause } from '../../../runner/host/wait.ts';
import { figure, note } from '../figures.ts';
import { archivePolicy, type Gnocchi } from './gnocchi.ts';
import type { Site } from './site.ts';

const SCOPES = 100;
const RESOURCES_PER_SCOPE = 14;
const HOURS = 24;
const HOUR_MS = 3_600_000;
/** CloudKitty leaves the last hours alone, as it does by its own default. */
const BEHIND_HOURS = 4;
const START_MS = 60_000;
const UPGRADE_MS = 120_000;
const RATED_WITHIN_S = 120;
const REQUESTS_AT_ONCE = 4;

/** Rates hours of metrics that lie in Gnocchi, one mapping of its hashmap, into SQL; for a while, or until all is rated. */
export async function measureCloudkitty(site: Site, gnocchi: Gnocchi): Promise<void> {
  const startMs = Math.floor(Date.now() / HOUR_MS) * HOUR_MS - (HOURS + BEHIND_HOURS) * HOUR_MS;
  await fillHours(gnocchi, startMs);
  const database = await site.database('cloudkitty');
  const config = configure(site, gnocchi, database);
  const prepare = (command: string, args: string[]) =>
    run(command, ['--config-file', config, ...args], { env: site.env, timeout_ms: UPGRADE_MS });
  await prepare('cloudkitty-dbsync', ['upgrade']);
  await prepare('cloudkitty-storage-init', []);
  await price(site, config);
  const from = new Date(startMs - HOUR_MS).toISOString();
  await site.sql(
    'cloudkitty',
    `INSERT INTO cloudkitty_storage_states (identifier, scope_key, fetcher, collector, last_processed_timestamp, active)
     SELECT lpad(to_hex(n), 32, '0'), 'project_id', 'source', 'gnocchi', '${from.slice(0, 19)}', true FROM generate_series(0, ${SCOPES - 1}) n`,
  );
  site.start('cloudkitty-processor', 'cloudkitty-processor', ['--config-file', config]);
  const rated = async () => Number(await site.sql('cloudkitty', 'SELECT count(*) FROM rated_data_frames'));
  await until('CloudKitty’s first frame', START_MS, async () => (await rated()) > 0);
  const [began, usedBefore, first] = [performance.now(), site.processorS(), await rated()];
  const wanted = SCOPES * RESOURCES_PER_SCOPE * HOURS;
  let frames = first;
  const seconds = () => (performance.now() - began) / 1_000;
  while (frames < wanted && seconds() < RATED_WITHIN_S) {
    await pause(1_000);
    frames = await rated();
  }
  const usedS = site.processorS() - usedBefore;
  figure('peer_cloudkitty_rated', (frames - first) / seconds(), 'frames/s');
  figure('peer_cloudkitty_rated_of_processor', (frames - first) / usedS, 'frames/processor_s');
  note(
    `${frames} frames of ${wanted}; their price is ${await site.sql('cloudkitty', 'SELECT sum(rate) FROM rated_data_frames')}`,
  );
}

const projectOf = (scope: number): string => scope.toString(16).padStart(32, '0');

/** A sample an hour of each metric, worked up. */
async function fillHours(gnocchi: Gnocchi, startMs: number): Promise<void> {
  const began = performance.now();
  await gnocchi.call('POST', '/archive_policy', archivePolicy('hours', 'sum', [[3_600, 840]]));
  const ids: { resource: string; scope: number }[] = [];
  for (let n = 0; n < SCOPES * RESOURCES_PER_SCOPE; n += 1)
    ids.push({ resource: crypto.randomUUID(), scope: n % SCOPES });
  const left = [...ids];
  const next = async (): Promise<void> => {
    for (let one = left.shift(); one; one = left.shift())
      await gnocchi.call('POST', '/resource/generic', {
        id: one.resource,
        project_id: projectOf(one.scope),
        user_id: projectOf(0),
        started_at: new Date(startMs - HOUR_MS).toISOString(),
        metrics: { egress: { archive_policy_name: 'hours' } },
      });
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, next));
  const points = Array.from({ length: HOURS + BEHIND_HOURS }, (_, hour) => ({
    timestamp: new Date(startMs + hour * HOUR_MS).toISOString(),
    value: 500_000_000 + hour,
  }));
  await gnocchi.call(
    'POST',
    '/batch/resources/metrics/measures',
    Object.fromEntries(ids.map(({ resource }) => [resource, { egress: { measures: points } }])),
  );
  await gnocchi.processed();
  note(`Gnocchi was filled in ${Math.round((performance.now() - began) / 1_000)} s`);
}

function configure(site: Site, gnocchi: Gnocchi, database: string): string {
  const locks = join(site.folder, 'locks');
  mkdirSync(locks);
  const metrics = site.write(
    'metrics.yml',
    `metrics:
  egress:
    unit: GB
    factor: 1/1000000000
    groupby: [id, project_id]
    metadata: []
    extra_args: {aggregation_method: sum, resource_type: generic, force_granularity: 3600}
`,
  );
  return site.write(
    'cloudkitty.conf',
    `[DEFAULT]
auth_strategy = noauth
transport_url = fake://
api_paste_config = ${site.file('usr/share/cloudkitty-common/api_paste.ini')}
[api]
[database]
connection = ${database}
[storage]
version = 1
backend = sqlalchemy
[collect]
collector = gnocchi
scope_key = project_id
period = 3600
wait_periods = 2
metrics_conf = ${metrics}
[collector_gnocchi]
gnocchi_auth_type = basic
gnocchi_user = admin
gnocchi_endpoint = ${gnocchi.url}
[fetcher]
backend = source
[fetcher_source]
sources = ${Array.from({ length: SCOPES }, (_, n) => projectOf(n)).join(',')}
[orchestrator]
coordination_url = file://${locks}
max_workers = 2
max_workers_reprocessing = 0
[oslo_policy]
policy_dirs = ${site.file('etc/cloudkitty/policy.d')}
`,
  );
}

/** One price a GB, by the API of its hashmap. */
async function price(site: Site, config: string): Promise<void> {
  const port = await freePort();
  site.start('cloudkitty-api', 'cloudkitty-api', [
    '--host',
    '127.0.0.1',
    '--port',
    String(port),
    '--',
    '--config-file',
    config,
  ]);
  const call = async (method: string, path: string, body?: unknown) => {
    const answer = await fetch(`http://127.0.0.1:${port}/v1/rating${path}`, {
      method,
      // It answers a change with the way to itself.
      redirect: 'manual',
      headers: { 'content-type': 'application/json', accept: 'application/json' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (answer.status >= 400) throw new Error(`cloudkitty: ${method} ${path}: ${answer.status} ${await answer.text()}`);
    const text = await answer.text();
    return text === '' ? {} : (JSON.parse(text) as Record<string, string>);
  };
  await until('CloudKitty’s API', START_MS, async () => 'modules' in (await call('GET', '/modules')));
  const service = await call('POST', '/module_config/hashmap/services', { name: 'egress' });
  await call('POST', '/module_config/hashmap/mappings', { service_id: service.service_id, type: 'flat', cost: '0.05' });
  await call('PUT', '/modules/hashmap', { module_id: 'hashmap', enabled: true });
}
