import { type ApiClient, ApiFailure } from '../api-client.ts';
import type { Network, Port, Router, Topology } from './topology.ts';

/** Objects of one page; the next is asked for by the last one's id. */
const PAGE = 500;
/** Pages of one collection: a drawing of more than that is read by nobody. */
const PAGES_MAX = 40;

/** Asks for all that the drawing shows. What the cloud does not have, or does not tell whoever asks, is left out. */
export async function readTopology(api: ApiClient): Promise<Topology> {
  const ofNetwork = <One extends { id?: string }>(path: string) => pages<One>(api, 'network', `/v2.0/${path}`, path);
  const [hosts, networks, subnets, ports, routers, floatingIps, servers] = await Promise.all([
    readHosts(api),
    ofNetwork<Network>('networks'),
    ofNetwork<Topology['subnets'][number]>('subnets'),
    ofNetwork<Port>('ports'),
    ofNetwork<Router>('routers').catch(whereMissing<Router[]>([])),
    ofNetwork<Topology['floatingIps'][number]>('floatingips').catch(whereMissing<Topology['floatingIps']>([])),
    readServers(api),
  ]);
  return { hosts, networks, subnets, ports, routers, floatingIps, servers };
}

/** The fleet's API lies beside the others and is in no catalog. */
async function readHosts(api: ApiClient): Promise<Topology['hosts']> {
  const beside = api.urlOf('network').replace(/\/networking$/, '/aerostat/v1');
  const answer = await fetch(`${beside}/runners`, { headers: { 'x-auth-token': api.token } });
  if (!answer.ok) return null;
  return ((await answer.json()) as { runners: NonNullable<Topology['hosts']> }).runners;
}

async function readServers(api: ApiClient): Promise<Topology['servers']> {
  type Server = { id: string; name: string; status: string };
  const ofAll = pages<Server>(api, 'compute', '/servers/detail?all_tenants=1', 'servers');
  const found = await ofAll.catch((error: unknown) => {
    if (!(error instanceof ApiFailure) || error.status !== 403) throw error;
    return pages<Server>(api, 'compute', '/servers/detail', 'servers');
  });
  return new Map(found.map((server) => [server.id, server]));
}

async function pages<One extends { id?: string }>(
  api: ApiClient,
  service: string,
  path: string,
  name: string,
): Promise<One[]> {
  const all: One[] = [];
  for (let page = 0; page < PAGES_MAX; page++) {
    const marker = all.at(-1)?.id;
    const query = `limit=${PAGE}${marker ? `&marker=${marker}` : ''}`;
    const answer = await api.call<Record<string, One[]>>(
      service,
      'GET',
      `${path}${path.includes('?') ? '&' : '?'}${query}`,
    );
    const some = answer[name] ?? [];
    all.push(...some);
    if (some.length < PAGE) break;
  }
  return all;
}

const whereMissing =
  <T>(instead: T) =>
  (error: unknown): T => {
    if (error instanceof ApiFailure && error.status === 404) return instead;
    throw error;
  };
