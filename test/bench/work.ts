import type { ApiClient } from '../../home/api-client.ts';
import { until } from '../../home/until.ts';
import { pause } from '../../runner/host/wait.ts';

export const WAIT_MS = 120_000;
const POLL_MS = 5;
const CONCURRENCY = 10;
const PAGE = 1000;

/** What servers are made of, and by whom. */
export interface Work {
  api: ApiClient;
  flavorId: string;
  imageId: string;
}

/** Makes the smallest flavor and image that servers can have. */
export async function prepare(api: ApiClient): Promise<Work> {
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

/** The first version in which a server may be in no network. */
export const MICROVERSION = { 'openstack-api-version': 'compute 2.37' };

/** Asks for a server in no network. @returns its id */
export async function create({ api, flavorId, imageId }: Work, name: string): Promise<string> {
  const server = { name, flavorRef: flavorId, imageRef: imageId, networks: 'none' };
  return (await api.call<{ server: { id: string } }>('compute', 'POST', '/servers', { server }, MICROVERSION)).server
    .id;
}

/** Makes so many servers, some at a time. */
export async function createMany(work: Work, count: number, prefix: string): Promise<void> {
  let next = 0;
  const one = async () => {
    while (next < count) await create(work, `${prefix}${next++}`);
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, one));
}

const statusOf = async ({ api }: Work, id: string) =>
  (await api.call<{ server: { status: string } }>('compute', 'GET', `/servers/${id}`)).server.status;

/** The first page of servers. */
export const listed = async ({ api }: Work, query = '') =>
  (await api.call<{ servers: { id: string }[] }>('compute', 'GET', `/servers?limit=${PAGE}${query}`)).servers;

/** Waits, asking often, until a server is ACTIVE. @throws Error in ERROR, or after WAIT_MS */
export async function active(work: Work, id: string): Promise<void> {
  const end = performance.now() + WAIT_MS;
  for (;;) {
    const status = await statusOf(work, id);
    if (status === 'ACTIVE') return;
    if (status === 'ERROR' || performance.now() > end) throw new Error(`server ${id}: ${status}`);
    await pause(POLL_MS);
  }
}

/** Deletes the servers of the first page and waits until they are gone. */
export async function deleteAll(work: Work): Promise<void> {
  await Promise.all((await listed(work)).map(({ id }) => work.api.call('compute', 'DELETE', `/servers/${id}`)));
  await until('the end of all servers', WAIT_MS, async () => (await listed(work)).length === 0);
}
