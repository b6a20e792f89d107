import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';
import type { GuestAction } from './policy-actions.edge.test.ts';
import type { HostAction } from './policy-hosts.edge.test.ts';
import type { MoveAction } from './policy-moves.edge.test.ts';

/** Those of flavors, key pairs, machines and what is done to guests have tables of their own. */
type ServerAction = Exclude<
  ComputeAction,
  GuestAction | HostAction | MoveAction | `os_compute_api:${'os-flavor' | 'os-keypairs'}${string}`
>;

const t = new ComputeTrials(async () => {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({
    name: 'host-1',
    ...{ vcpus: 1_000, memoryMib: 512_000, diskGib: 1_000 },
    ...{ vcpusAllocatable: 1_000, memoryMibAllocatable: 512_000, diskGibAllocatable: 1_000 },
  });
  return cloud;
});
const create =
  (server: Record<string, unknown> = {}, minor?: number) =>
  async () => {
    const { imageId: imageRef, flavorId: flavorRef } = t.cloud;
    return t.call(
      'POST',
      '/servers',
      { server: { name: 's', imageRef, flavorRef, networks: 'none', ...server } },
      minor,
    );
  };
const stopped = async (cloud: ComputeCloud, id: string) => {
  await cloud.act(id, { 'os-stop': null });
  await cloud.observe(id, { state: 'stopped' });
};
const locked = (cloud: ComputeCloud, id: string) => cloud.act(id, { lock: null });
const tagged = (cloud: ComputeCloud, id: string) =>
  cloud.answer('PUT', `/servers/${id}/tags/blue`, { version: '2.90', status: 201 });
const described = (cloud: ComputeCloud, id: string) =>
  cloud.answer('POST', `/servers/${id}/metadata`, { body: { metadata: { a: 'b' } } });
/** A call about a group of servers of the project. */
const onGroup = (method: string) => async () => {
  const body = { server_group: { name: 'g', policy: 'affinity' } };
  const { server_group: group } = await t.cloud.answer<{ server_group: { id: string } }>('POST', '/os-server-groups', {
    body,
    version: '2.90',
  });
  return t.call(method, `/os-server-groups/${group.id}`);
};
const networked = async () => {
  const { networkId } = await t.cloud.addNetwork();
  const id = await t.cloud.createActive({ networks: [{ uuid: networkId }] });
  return t.call('GET', `/servers/${id}/ips/private`);
};

describePolicy<ServerAction>('compute', t.cast, {
  'os_compute_api:servers:index': trial('reader', 200, t.at('GET', '/servers'), { stranger: 200 }),
  'os_compute_api:servers:detail': trial('reader', 200, t.at('GET', '/servers/detail'), { stranger: 200 }),
  'os_compute_api:servers:show': trial('reader', 200, t.onServer('GET', '')),
  'os_compute_api:servers:index:get_all_tenants': trial('admin', 200, t.at('GET', '/servers?all_tenants=1')),
  'os_compute_api:servers:detail:get_all_tenants': trial('admin', 200, t.at('GET', '/servers/detail?all_tenants=1')),
  'os_compute_api:servers:create': trial('member', 202, create(), { stranger: 202 }),
  'os_compute_api:servers:create:forced_host': trial('admin', 202, create({ availability_zone: 'nova:host-1' })),
  'compute:servers:create:requested_destination': trial('admin', 202, create({ host: 'host-1' })),
  'os_compute_api:servers:create:zero_disk_flavor': trial('admin', 202, async () =>
    create({ flavorRef: await t.cloud.addFlavor({ diskGib: 0 }) })(),
  ),
  'os_compute_api:servers:update': trial('member', 200, t.onServer('PUT', '', { server: { name: 'other' } })),
  'os_compute_api:servers:delete': [
    trial('member', 204, t.onServer('DELETE', '')),
    trial('member', 202, t.action({ forceDelete: null })),
  ],
  'os_compute_api:servers:start': trial('member', 202, t.action({ 'os-start': null }, { before: stopped })),
  'os_compute_api:servers:stop': trial('member', 202, t.action({ 'os-stop': null })),
  'os_compute_api:servers:reboot': trial('member', 202, t.action({ reboot: { type: 'HARD' } })),
  'os_compute_api:os-admin-actions:reset_state': trial('admin', 202, t.action({ 'os-resetState': { state: 'error' } })),
  // The host is not there to answer.
  'os_compute_api:os-console-output': trial('member', 503, t.action({ 'os-getConsoleOutput': {} })),
  'os_compute_api:os-lock-server:lock': trial('member', 202, t.action({ lock: null })),
  'os_compute_api:os-lock-server:unlock': trial('member', 202, t.action({ unlock: null }, { before: locked })),

  'os_compute_api:server-metadata:index': trial('reader', 200, t.onServer('GET', '/metadata')),
  'os_compute_api:server-metadata:show': trial(
    'reader',
    200,
    t.onServer('GET', '/metadata/a', undefined, { before: described }),
  ),
  'os_compute_api:server-metadata:create': trial(
    'member',
    200,
    t.onServer('POST', '/metadata', { metadata: { a: 'b' } }),
  ),
  'os_compute_api:server-metadata:update': trial('member', 200, t.onServer('PUT', '/metadata/a', { meta: { a: 'b' } })),
  'os_compute_api:server-metadata:update_all': trial('member', 200, t.onServer('PUT', '/metadata', { metadata: {} })),
  'os_compute_api:server-metadata:delete': trial(
    'member',
    204,
    t.onServer('DELETE', '/metadata/a', undefined, { before: described }),
  ),

  'os_compute_api:os-server-tags:index': trial('reader', 200, t.onServer('GET', '/tags')),
  'os_compute_api:os-server-tags:show': trial(
    'reader',
    204,
    t.onServer('GET', '/tags/blue', undefined, { before: tagged }),
  ),
  'os_compute_api:os-server-tags:update': trial('member', 201, t.onServer('PUT', '/tags/blue')),
  'os_compute_api:os-server-tags:update_all': trial('member', 200, t.onServer('PUT', '/tags', { tags: ['blue'] })),
  'os_compute_api:os-server-tags:delete': trial(
    'member',
    204,
    t.onServer('DELETE', '/tags/blue', undefined, { before: tagged }),
  ),
  'os_compute_api:os-server-tags:delete_all': trial('member', 204, t.onServer('DELETE', '/tags')),

  'os_compute_api:ips:index': trial('reader', 200, t.onServer('GET', '/ips')),
  'os_compute_api:ips:show': trial('reader', 200, networked),
  'os_compute_api:os-instance-actions:list': trial('reader', 200, t.onServer('GET', '/os-instance-actions')),
  'os_compute_api:os-instance-actions:show': trial('reader', 200, async () => {
    const id = await t.cloud.createActive();
    const path = `/servers/${id}/os-instance-actions`;
    const { instanceActions } = await t.cloud.answer<{ instanceActions: { request_id: string }[] }>('GET', path);
    return t.call('GET', `${path}/${instanceActions[0]?.request_id}`);
  }),

  'os_compute_api:os-server-groups:index': trial('reader', 200, t.at('GET', '/os-server-groups'), { stranger: 200 }),
  // Whoever is no admin gets the own, whatever is asked.
  'os_compute_api:os-server-groups:index:all_projects': trial(
    'reader',
    200,
    t.at('GET', '/os-server-groups?all_projects=1'),
    { stranger: 200 },
  ),
  'os_compute_api:os-server-groups:show': trial('reader', 200, onGroup('GET')),
  'os_compute_api:os-server-groups:create': trial(
    'member',
    200,
    t.at('POST', '/os-server-groups', { server_group: { name: 'g', policy: 'affinity' } }),
    { stranger: 200 },
  ),
  'os_compute_api:os-server-groups:delete': trial('member', 204, onGroup('DELETE')),
});
