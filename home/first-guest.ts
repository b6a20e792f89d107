import { Refusal } from '../shared/refusal.ts';
import { type ApiClient, ApiFailure } from './api-client.ts';
import type { Seeded } from './seed.ts';
import { until } from './until.ts';

export const FIRST_GUEST = 'first-guest';
const ACTIVE_TIMEOUT_MS = 120_000;
const BOOT_TIMEOUT_MS = 240_000;
const HTTP_TIMEOUT_MS = 30_000;
const USER_DATA_WORD = 'user-data-arrived';

interface Server {
  id: string;
  status: string;
  fault?: { message: string };
  addresses: Record<string, { addr: string }[]>;
}

/** Finds the first guest or boots it, through the public API. */
export async function bootFirstGuest(api: ApiClient, seeded: Seeded): Promise<{ id: string; address: string }> {
  const { servers } = await api.call<{ servers: { id: string }[] }>('compute', 'GET', `/servers?name=^${FIRST_GUEST}$`);
  const id = servers[0]?.id ?? (await createGuest(api, seeded));
  let server: Server | undefined;
  await until(`server ${FIRST_GUEST} ACTIVE`, ACTIVE_TIMEOUT_MS, async () => {
    server = (await api.call<{ server: Server }>('compute', 'GET', `/servers/${id}`)).server;
    if (server.status === 'ERROR') throw new Refusal(`the first guest failed: ${server.fault?.message}`);
    if (server.status === 'SHUTOFF') await startAgain(api, id);
    return server.status === 'ACTIVE';
  });
  const address = Object.values(server?.addresses ?? {})[0]?.[0]?.addr;
  if (!address) throw new Refusal('the first guest has no address');
  return { id, address };
}

async function createGuest(api: ApiClient, seeded: Seeded): Promise<string> {
  await allowHttp(api);
  const user_data = Buffer.from(`#!/bin/sh\necho ${USER_DATA_WORD}\n`).toString('base64');
  const networks = [{ uuid: seeded.networkId }];
  const body = {
    server: { name: FIRST_GUEST, imageRef: seeded.imageId, flavorRef: seeded.flavorId, networks, user_data },
  };
  return (await api.call<{ server: { id: string } }>('compute', 'POST', '/servers', body)).server.id;
}

async function startAgain(api: ApiClient, id: string): Promise<void> {
  await api.call('compute', 'POST', `/servers/${id}/action`, { 'os-start': null }).catch((error: unknown) => {
    if (!(error instanceof ApiFailure && error.status === 409)) throw error;
  });
}

/** Lets TCP port 80 in: by default a group lets nobody in from outside. */
async function allowHttp(api: ApiClient): Promise<void> {
  const query = `/v2.0/security-groups?name=default&project_id=${api.projectId}`;
  const { security_groups } = await api.call<{ security_groups: { id: string }[] }>('network', 'GET', query);
  const rule = {
    security_group_id: security_groups[0]?.id,
    direction: 'ingress',
    ethertype: 'IPv4',
    protocol: 'tcp',
    port_range_min: 80,
    port_range_max: 80,
  };
  await api
    .call('network', 'POST', '/v2.0/security-group-rules', { security_group_rule: rule })
    .catch((error: unknown) => {
      if (!(error instanceof ApiFailure && error.status === 409)) throw error;
    });
}

/**
 * Proves that the guest answers: its lease, the metadata it read, its console, and HTTP from it.
 * @param onProof - told each proof as it is found
 */
export async function proveFirstGuest(
  api: ApiClient,
  guest: { id: string; address: string },
  onProof: (what: string) => void,
): Promise<void> {
  const proofs: [what: string, sign: RegExp][] = [
    [`DHCP lease ${guest.address}`, new RegExp(`dhcp \\S+ ${guest.address.replaceAll('.', '\\.')}/`)],
    ['metadata read', new RegExp(`metadata \\S+ ok uuid=${guest.id}`)],
    ['user data run', new RegExp(USER_DATA_WORD)],
    ['console text', / ready hostname=/],
  ];
  for (const [what, sign] of proofs) {
    await until(`in the guest's console: ${what}`, BOOT_TIMEOUT_MS, async () =>
      sign.test(await consoleOf(api, guest.id)),
    );
    onProof(what);
  }
  await until('HTTP from the guest', HTTP_TIMEOUT_MS, async () => {
    const answer = await fetch(`http://${guest.address}/`, { signal: AbortSignal.timeout(5_000) });
    return answer.ok && (await answer.text()).startsWith('hello');
  });
  onProof(`HTTP from http://${guest.address}/`);
}

async function consoleOf(api: ApiClient, id: string): Promise<string> {
  const { output } = await api.call<{ output: string }>('compute', 'POST', `/servers/${id}/action`, {
    'os-getConsoleOutput': {},
  });
  return output;
}
