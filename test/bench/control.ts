import { loadSecrets } from '../../home/secrets.ts';
import { until } from '../../home/until.ts';
import { pause } from '../../runner/host/wait.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { coldStart } from './cold-start.ts';
import { figure, quantile } from './figures.ts';
import { growth } from './growth.ts';
import { hey } from './hey.ts';
import { cpuSeconds, memoryMib, withDescendants } from './processes.ts';
import { active, create, createMany, deleteAll, listed, MICROVERSION, prepare, WAIT_MS, type Work } from './work.ts';

const RUNNERS = 5;
const SEQUENTIAL = 20;
const BURST = 100;
const IDLE_S = 60;
const SETTLE_S = 5;

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
  await growth();
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
  await createMany(work, BURST, 'par');
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
