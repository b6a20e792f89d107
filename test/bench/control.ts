import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiClient, login } from '../../home/api-client.ts';
import { freePort } from '../../home/free-port.ts';
import { statePaths } from '../../home/paths.ts';
import { loadSecrets } from '../../home/secrets.ts';
import { startEdge } from '../../home/start-edge.ts';
import { until } from '../../home/until.ts';
import { pause } from '../../runner/host/wait.ts';
import { type Cloud, REGION, startCloud } from '../cloud.ts';
import { figure, note, quantile } from './figures.ts';
import { hey } from './hey.ts';
import { cpuSeconds, memoryMib, withDescendants } from './processes.ts';

const RUNNERS = 5;
const SEQUENTIAL = 20;
const BURST = 100;
const BURST_CONCURRENCY = 10;
const IDLE_S = 60;
const SETTLE_S = 5;
const WAIT_MS = 120_000;
const POLL_MS = 5;

interface Work {
  api: ApiClient;
  flavorId: string;
  imageId: string;
}

/** The work of a control plane on simulated hypervisors: figures, one a line. */
export async function benchControl(): Promise<void> {
  await coldStart();
  const cloud = await startCloud();
  try {
    const runners = await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
    const work = await prepare(cloud.admin);
    const pids = () =>
      withDescendants(
        [cloud.edge.database.pid(), cloud.edge.workerd.pid(), runners.pid()].filter((pid) => pid !== undefined),
      );
    await idle(pids);
    await oneAfterAnother(work);
    await burst(work);
    await reads(cloud, work);
  } finally {
    await cloud.stop();
  }
}

async function prepare(api: ApiClient): Promise<Work> {
  const { flavor } = await api.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', {
    flavor: { name: 'bench', ram: 64, vcpus: 1, disk: 1 },
  });
  const { id } = await api.call<{ id: string }>('image', 'POST', '/v2/images', {
    name: 'bench',
    disk_format: 'raw',
    container_format: 'bare',
    visibility: 'public',
  });
  await api.call('image', 'PUT', `/v2/images/${id}/file`, new Uint8Array(4096), {
    'content-type': 'application/octet-stream',
  });
  return { api, flavorId: flavor.id, imageId: id };
}

const MICROVERSION = { 'openstack-api-version': 'compute 2.37' };

async function create({ api, flavorId, imageId }: Work, name: string): Promise<string> {
  const server = { name, flavorRef: flavorId, imageRef: imageId, networks: 'none' };
  return (await api.call<{ server: { id: string } }>('compute', 'POST', '/servers', { server }, MICROVERSION)).server
    .id;
}

const statusOf = async ({ api }: Work, id: string) =>
  (await api.call<{ server: { status: string } }>('compute', 'GET', `/servers/${id}`)).server.status;
const listed = async ({ api }: Work, query = '') =>
  (await api.call<{ servers: { id: string }[] }>('compute', 'GET', `/servers?limit=1000${query}`)).servers;

async function active(work: Work, id: string): Promise<void> {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const status = await statusOf(work, id);
    if (status === 'ACTIVE') return;
    if (status === 'ERROR' || performance.now() > end) throw new Error(`server ${id}: ${status}`);
    await pause(POLL_MS);
  }
}

async function deleteAll(work: Work): Promise<void> {
  await Promise.all((await listed(work)).map(({ id }) => work.api.call('compute', 'DELETE', `/servers/${id}`)));
  await until('the end of all servers', WAIT_MS, async () => (await listed(work)).length === 0);
}

async function oneAfterAnother(work: Work): Promise<void> {
  await active(work, await create(work, 'warm'));
  const whole: number[] = [];
  const posts: number[] = [];
  for (let at = 0; at < SEQUENTIAL; at += 1) {
    const began = performance.now();
    const id = await create(work, `seq${at}`);
    posts.push(performance.now() - began);
    await active(work, id);
    whole.push(performance.now() - began);
  }
  figure('create_active_median', quantile(whole, 0.5), 'ms');
  figure('create_active_p95', quantile(whole, 0.95), 'ms');
  figure('create_post_median', quantile(posts, 0.5), 'ms');
  await deleteAll(work);
}

async function burst(work: Work): Promise<void> {
  const began = performance.now();
  let next = 0;
  await Promise.all(
    Array.from({ length: BURST_CONCURRENCY }, async () => {
      while (next < BURST) await create(work, `par${next++}`);
    }),
  );
  figure('burst_accepted_wall', (performance.now() - began) / 1000, 's');
  await until('ACTIVE for all', WAIT_MS, async () => (await listed(work, '&status=ACTIVE')).length >= BURST);
  figure('burst_rate', BURST / ((performance.now() - began) / 1000), 'servers/s');
}

async function reads(cloud: Cloud, work: Work): Promise<void> {
  const compute = work.api.urlOf('compute');
  const headers = { 'x-auth-token': work.api.token, ...MICROVERSION };
  const [first] = await listed(work);
  await hey('list_detail', { url: `${compute}/servers/detail?limit=1000`, headers });
  await hey('get_server', { url: `${compute}/servers/${first?.id}`, headers });
  await hey('token_validate', {
    url: `${cloud.url}/identity/v3/auth/tokens`,
    headers: { ...headers, 'x-subject-token': work.api.token },
  });
  const domain = { name: 'Default' };
  const password = loadSecrets(cloud.paths.secrets).adminPassword;
  const identity = { methods: ['password'], password: { user: { name: 'admin', domain, password } } };
  const body = JSON.stringify({ auth: { identity, scope: { project: { name: 'admin', domain } } } });
  await hey('token_issue', { url: `${cloud.url}/identity/v3/auth/tokens`, headers: {}, body, expect: 201 });
  await deleteAll(work);
}

async function idle(pids: () => number[]): Promise<void> {
  await pause(SETTLE_S * 1000);
  figure('mem_pss', memoryMib(pids()), 'MiB');
  figure('processes', pids().length, 'processes');
  const before = cpuSeconds(pids());
  await pause(IDLE_S * 1000);
  figure('idle_cpu', (100 * (cpuSeconds(pids()) - before)) / IDLE_S, '%_of_one_core');
}

/** From nothing running to the first authenticated list, on a state folder that has started before. */
async function coldStart(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'aerostat-cold-'));
  const paths = statePaths(folder);
  const secrets = loadSecrets(paths.secrets);
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const first = await startEdge({ paths, secrets, host: '127.0.0.1', port, publicUrl: url, region: REGION });
  await first.stop();
  const began = performance.now();
  const child = spawn(
    process.execPath,
    [join(import.meta.dirname, '../../home/cli.ts'), 'start', '--state', folder, '--port', String(port), '--no-runner'],
    { stdio: 'ignore' },
  );
  try {
    await until('the first list', WAIT_MS, async () => {
      const api = await login(`${url}/identity/v3`, {
        user: 'admin',
        password: secrets.adminPassword,
        project: 'admin',
      });
      await api.call('compute', 'GET', '/servers');
      return true;
    });
    figure('cold_start_first_list', (performance.now() - began) / 1000, 's');
  } finally {
    await ended(child);
    rmSync(folder, { recursive: true, force: true });
  }
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
    note('cold start ended');
  });
}
