import { sql } from 'drizzle-orm';
import { type ApiClient, ApiFailure } from '../../home/api-client.ts';
import { until } from '../../home/until.ts';
import { type Cloud, startCloud } from '../cloud.ts';

/** Longer than a heartbeat and a reconnection after it. */
const CONVERGE_TIMEOUT_MS = 120_000;
const RECOVER_TIMEOUT_MS = 60_000;
const IMAGE_BYTES = 4096;

export interface Server {
  id: string;
  name: string;
  status: string;
  fault?: { code: number; message: string; details?: string };
}

/** A control plane with a network, a flavor and an image, for tests that break it. */
export interface FaultCloud extends Cloud {
  networkId: string;
  flavorId: string;
  imageId: string;
}

/** Starts a control plane and makes what servers need. Its guests are simulated, so the image is only some bytes. */
export async function startFaultCloud(): Promise<FaultCloud> {
  const cloud = await startCloud();
  try {
    return { ...cloud, ...(await prepare(cloud.admin)) };
  } catch (error) {
    await cloud.stop();
    throw error;
  }
}

async function prepare(api: ApiClient) {
  const { flavor } = await api.call<{ flavor: { id: string } }>('compute', 'POST', '/flavors', {
    flavor: { name: 'small', ram: 64, vcpus: 1, disk: 1 },
  });
  const { network } = await api.call<{ network: { id: string } }>('network', 'POST', '/v2.0/networks', {
    network: { name: 'faults' },
  });
  await api.call('network', 'POST', '/v2.0/subnets', {
    subnet: { network_id: network.id, ip_version: 4, cidr: '10.90.0.0/20' },
  });
  const imageId = await uploadImage(api, new Uint8Array(IMAGE_BYTES));
  return { networkId: network.id, flavorId: flavor.id, imageId };
}

/** Uploads a raw image. */
export async function uploadImage(api: ApiClient, data: Uint8Array | ReadableStream): Promise<string> {
  const { id } = await api.call<{ id: string }>('image', 'POST', '/v2/images', {
    name: 'faults',
    disk_format: 'raw',
    container_format: 'bare',
  });
  const type = { 'content-type': 'application/octet-stream' };
  await api.call('image', 'PUT', `/v2/images/${id}/file`, data, type);
  return id;
}

/** Asks for a server on the cloud's network. */
export async function createServer(
  cloud: Pick<FaultCloud, 'admin' | 'networkId' | 'flavorId' | 'imageId'>,
  name: string,
  more: Record<string, unknown> = {},
): Promise<string> {
  const { networkId, flavorId, imageId } = cloud;
  const server = { name, flavorRef: flavorId, imageRef: imageId, networks: [{ uuid: networkId }], ...more };
  return (await cloud.admin.call<{ server: { id: string } }>('compute', 'POST', '/servers', { server })).server.id;
}

export const deleteServer = (api: ApiClient, id: string) => api.call('compute', 'DELETE', `/servers/${id}`);

/** A server as the API shows it; null once it is deleted. */
export async function showServer(api: ApiClient, id: string): Promise<Server | null> {
  try {
    return (await api.call<{ server: Server }>('compute', 'GET', `/servers/${id}`)).server;
  } catch (error) {
    if (error instanceof ApiFailure && error.status === 404) return null;
    throw error;
  }
}

export async function listServers(api: ApiClient): Promise<Server[]> {
  return (await api.call<{ servers: Server[] }>('compute', 'GET', '/servers/detail?limit=1000')).servers;
}

/** Waits for a status; any other that lasts ends the wait at once. */
export async function serverReaches(api: ApiClient, id: string, status: string, timeout_ms = CONVERGE_TIMEOUT_MS) {
  let seen: Server | null = null;
  const wanted = async () => {
    seen = await showServer(api, id);
    return seen?.status === status;
  };
  await until(`server ${id} ${status}`, timeout_ms, wanted).catch((error: unknown) => {
    throw new Error(`server ${id} is not ${status}: ${JSON.stringify(seen)}`, { cause: error });
  });
  return seen as unknown as Server;
}

/** Deletes until it is accepted or done, as a client does that heard nothing of its first try. */
export async function deleteForSure(api: ApiClient, id: string): Promise<void> {
  await until(`the delete of ${id} accepted`, RECOVER_TIMEOUT_MS, async () => {
    try {
      await deleteServer(api, id);
    } catch (error) {
      if (!(error instanceof ApiFailure && error.status === 404)) throw error;
    }
    return true;
  });
}

export const serverGone = (api: ApiClient, id: string, timeout_ms = CONVERGE_TIMEOUT_MS) =>
  until(`the end of server ${id}`, timeout_ms, async () => (await showServer(api, id)) === null);

/** Waits until the control plane answers from its database again. */
export const edgeAnswers = ({ admin }: Cloud) =>
  until('an answer of the edge', RECOVER_TIMEOUT_MS, async () => {
    await listServers(admin);
    return true;
  });

/** Waits until nothing is under way: no server in a task, nothing to be removed, no operation open. */
export async function settled(cloud: Cloud, timeout_ms = CONVERGE_TIMEOUT_MS): Promise<void> {
  let open: unknown;
  const still = async () => {
    open = await cloud.edge.db.all(sql`
      SELECT 'server' AS what, id, coalesce(task_state, vm_state) AS state FROM servers
        WHERE deleted_at_ms IS NULL AND (task_state IS NOT NULL OR vm_state = 'building')
      UNION ALL SELECT 'tombstone of a ' || kind, id, runner_id FROM desired WHERE deleted = 1
      UNION ALL SELECT 'operation', op_id, state FROM operations WHERE state IN ('queued', 'accepted')
      UNION ALL SELECT 'port', ports.id, ports.status FROM ports JOIN servers ON servers.id = ports.device_id
        WHERE servers.vm_state = 'active' AND ports.status <> 'ACTIVE'`);
    return (open as unknown[]).length === 0;
  };
  await until('an end of all work', timeout_ms, still).catch((error: unknown) => {
    throw new Error(`this does not end: ${JSON.stringify(open)}`, { cause: error });
  });
}
