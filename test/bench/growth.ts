import { until } from '../../home/until.ts';
import { type Cloud, startCloud } from '../cloud.ts';
import { figure, quantile } from './figures.ts';
import { hey } from './hey.ts';
import { memoryMib, withDescendants } from './processes.ts';
import { active, create, createMany, MICROVERSION, prepare, type Work } from './work.ts';

const RUNNERS = 20;
const SIZES = [100, 1_000, 10_000];
const PAGE = 100;
const CREATES = 10;
const LOAD_S = 5;
const CONVERGE_MS = 300_000;

interface Rates {
  get: number;
  page: number;
  create: number;
}

/**
 * The same requests to clouds of 100, 1,000 and 10,000 servers: one server, a page from the middle of a detailed list, and
 * a create until it is ACTIVE. What grows with the cloud shows as a ratio of the largest to the smallest.
 */
export async function growth(): Promise<void> {
  const cloud = await startCloud();
  try {
    const runners = await cloud.runners({ hypervisor: 'simulated', count: RUNNERS });
    const work = await prepare(cloud.admin);
    const rates: Rates[] = [];
    let servers = 0;
    for (const size of SIZES) {
      await createMany(work, size - servers, `to${size}-`);
      servers = size;
      await allActive(work, size);
      rates.push(await ratesAt(cloud, work, size));
      servers += CREATES;
    }
    const [small, large] = [rates[0], rates.at(-1)];
    if (small && large) {
      figure('growth_get_ratio', small.get / large.get, 'x');
      figure('growth_page_ratio', small.page / large.page, 'x');
      figure('growth_create_ratio', large.create / small.create, 'x');
    }
    const processes = {
      database: cloud.edge.database.pid(),
      workerd: cloud.edge.workerd.pid(),
      runners: runners.pid(),
    };
    const mib = Object.entries(processes).map(([name, pid]) => {
      const used = pid === undefined ? Number.NaN : memoryMib(withDescendants([pid]));
      figure(`mem_pss_${name}_of_${SIZES.at(-1)}`, used, 'MiB');
      return used;
    });
    figure(`mem_pss_edge_of_${SIZES.at(-1)}`, (mib[0] ?? 0) + (mib[1] ?? 0), 'MiB');
  } finally {
    await cloud.stop();
  }
}

/** No server is left that is not ACTIVE: nothing but these is ever asked of this cloud. */
async function allActive({ api }: Work, size: number): Promise<void> {
  await until(`${size} servers ACTIVE`, CONVERGE_MS, async () => {
    const path = '/servers?limit=1&status=BUILD';
    return (await api.call<{ servers: unknown[] }>('compute', 'GET', path)).servers.length === 0;
  });
}

async function ratesAt({ admin }: Cloud, work: Work, size: number): Promise<Rates> {
  const middle = await fromMiddle(work, size);
  const compute = admin.urlOf('compute');
  const headers = { 'x-auth-token': admin.token, ...MICROVERSION };
  const get = await hey(`get_server_of_${size}`, { url: `${compute}/servers/${middle}`, headers, load_s: LOAD_S });
  const url = `${compute}/servers/detail?limit=${PAGE}&marker=${middle}`;
  const page = await hey(`list_page_of_${size}`, { url, headers, load_s: LOAD_S });
  const times: number[] = [];
  for (let at = 0; at < CREATES; at += 1) {
    const began = performance.now();
    await active(work, await create(work, `more${size}-${at}`));
    times.push(performance.now() - began);
  }
  const median = quantile(times, 0.5);
  figure(`create_active_median_of_${size}`, median, 'ms');
  return { get, page, create: median };
}

/** A server before whose page half of all servers lie; of a hundred, the newest, so that a whole page is left. */
async function fromMiddle({ api }: Work, size: number): Promise<string> {
  const pages = size <= PAGE ? 0 : size / 2 / PAGE;
  let id = '';
  for (let at = 0; at <= pages; at += 1) {
    const limit = at === 0 ? 1 : PAGE;
    const path = `/servers?limit=${limit}${id === '' ? '' : `&marker=${id}`}`;
    id = (await api.call<{ servers: { id: string }[] }>('compute', 'GET', path)).servers.at(-1)?.id ?? id;
  }
  return id;
}
