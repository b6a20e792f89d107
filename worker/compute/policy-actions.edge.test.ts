import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

/** What is done to a guest on its host. */
export type GuestAction = Extract<
  ComputeAction,
  | 'compute:server:topology:index'
  | `os_compute_api:servers:${'trigger_crash_dump' | 'rebuild' | 'create_image'}`
  | `os_compute_api:${'os-pause-server' | 'os-suspend-server' | 'os-rescue' | 'os-unrescue' | 'os-create-backup' | 'os-shelve' | 'os-attach-interfaces' | 'os-security-groups' | 'os-floating-ips' | 'os-multinic' | 'os-admin-password' | 'os-server-password' | 'os-server-diagnostics' | 'os-volumes-attachments' | 'os-remote-consoles' | 'os-console-auth-tokens'}${string}`
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
/** Brings a server into a state by an action and what its host then reports. */
const by =
  (body: Record<string, unknown>, state: 'paused' | 'suspended' | 'running') =>
  async (cloud: ComputeCloud, id: string): Promise<void> => {
    await cloud.answer('POST', `/servers/${id}/action`, { body, status: 'rescue' in body ? 200 : 202 });
    await cloud.observe(id, { state });
  };
/** Brings a server off its host, its disk an image. */
const shelved = async (cloud: ComputeCloud, id: string): Promise<void> => {
  await cloud.act(id, { shelve: null });
  await cloud.copied(id);
  await cloud.observe(id, { state: 'absent' });
};
/** A server with a port. */
const plugged = async () => {
  const { networkId } = await t.cloud.addNetwork();
  const id = await t.cloud.createActive({ networks: [{ uuid: networkId }] });
  const { interfaceAttachments } = await t.cloud.answer<{
    interfaceAttachments: { port_id: string; fixed_ips: { ip_address: string }[] }[];
  }>('GET', `/servers/${id}/os-interface`);
  const [port] = interfaceAttachments;
  return { id, networkId, portId: port?.port_id ?? '', address: port?.fixed_ips[0]?.ip_address ?? '' };
};
const rebuild = async () => t.action({ rebuild: { imageRef: t.cloud.imageId } })();

describePolicy<GuestAction>('compute, guests', t.cast, {
  'os_compute_api:os-pause-server:pause': trial('member', 202, t.action({ pause: null })),
  'os_compute_api:os-pause-server:unpause': trial(
    'member',
    202,
    t.action({ unpause: null }, { before: by({ pause: null }, 'paused') }),
  ),
  'os_compute_api:os-suspend-server:suspend': trial('member', 202, t.action({ suspend: null })),
  'os_compute_api:os-suspend-server:resume': trial(
    'member',
    202,
    t.action({ resume: null }, { before: by({ suspend: null }, 'suspended') }),
  ),
  'os_compute_api:os-rescue': trial('member', 200, t.action({ rescue: null })),
  'os_compute_api:os-unrescue': trial(
    'member',
    202,
    t.action({ unrescue: null }, { before: by({ rescue: null }, 'running') }),
  ),
  'os_compute_api:servers:create_image': trial('member', 202, t.action({ createImage: { name: 'i' } })),
  'os_compute_api:os-create-backup': trial(
    'member',
    202,
    t.action({ createBackup: { name: 'b', backup_type: 'daily', rotation: 1 } }),
  ),
  'os_compute_api:os-attach-interfaces:list': trial('reader', 200, t.onServer('GET', '/os-interface')),
  'os_compute_api:os-attach-interfaces:show': trial('reader', 200, async () => {
    const { id, portId } = await plugged();
    return t.call('GET', `/servers/${id}/os-interface/${portId}`);
  }),
  'os_compute_api:os-attach-interfaces:create': trial('member', 200, async () => {
    const { id, networkId } = await plugged();
    return t.call('POST', `/servers/${id}/os-interface`, { interfaceAttachment: { net_id: networkId } });
  }),
  'os_compute_api:os-attach-interfaces:delete': trial('member', 202, async () => {
    const { id, portId } = await plugged();
    return t.call('DELETE', `/servers/${id}/os-interface/${portId}`);
  }),
  'os_compute_api:os-security-groups:list': trial('reader', 200, t.onServer('GET', '/os-security-groups')),
  'os_compute_api:os-security-groups:add': trial('member', 202, async () => {
    const { id } = await plugged();
    return t.call('POST', `/servers/${id}/action`, { addSecurityGroup: { name: 'default' } });
  }),
  'os_compute_api:os-security-groups:remove': trial('member', 202, async () => {
    const { id } = await plugged();
    return t.call('POST', `/servers/${id}/action`, { removeSecurityGroup: { name: 'default' } });
  }),
  // None has that address.
  'os_compute_api:os-floating-ips:add': trial('member', 404, async () => {
    const { id } = await plugged();
    return t.call('POST', `/servers/${id}/action`, { addFloatingIp: { address: '203.0.113.9' } }, 43);
  }),
  'os_compute_api:os-floating-ips:remove': trial('member', 404, async () => {
    const { id } = await plugged();
    return t.call('POST', `/servers/${id}/action`, { removeFloatingIp: { address: '203.0.113.9' } }, 43);
  }),
  'os_compute_api:os-multinic:add': trial('member', 202, async () => {
    const { id, networkId } = await plugged();
    return t.call('POST', `/servers/${id}/action`, { addFixedIp: { networkId } }, 43);
  }),
  'os_compute_api:os-multinic:remove': trial('member', 202, async () => {
    const { id, address, networkId } = await plugged();
    await t.cloud.act(id, { addFixedIp: { networkId } });
    return t.call('POST', `/servers/${id}/action`, { removeFixedIp: { address } }, 43);
  }),
  'os_compute_api:os-admin-password': trial('member', 409, t.action({ changePassword: { adminPass: 'x' } })),
  'os_compute_api:os-server-password:show': trial('reader', 200, t.onServer('GET', '/os-server-password')),
  'os_compute_api:os-server-password:clear': trial('member', 204, t.onServer('DELETE', '/os-server-password')),
  // The host is not there to answer.
  'os_compute_api:os-server-diagnostics': trial('admin', 503, t.onServer('GET', '/diagnostics')),
  'compute:server:topology:index': trial('reader', 200, t.onServer('GET', '/topology')),
  'os_compute_api:os-volumes-attachments:index': trial('reader', 200, t.onServer('GET', '/os-volume_attachments')),
  'os_compute_api:os-remote-consoles': trial(
    'member',
    200,
    t.onServer('POST', '/remote-consoles', { remote_console: { protocol: 'serial', type: 'serial' } }),
  ),
  'os_compute_api:os-console-auth-tokens': trial('admin', 200, async () => {
    const id = await t.cloud.createActive();
    const body = { remote_console: { protocol: 'serial', type: 'serial' } };
    const { remote_console: made } = await t.cloud.answer<{ remote_console: { url: string } }>(
      'POST',
      `/servers/${id}/remote-consoles`,
      { body, version: '2.90' },
    );
    return t.call('GET', `/os-console-auth-tokens/${new URL(made.url).searchParams.get('token')}`);
  }),
  'os_compute_api:os-shelve:shelve': trial('member', 202, t.action({ shelve: null })),
  'os_compute_api:os-shelve:shelve_offload': trial(
    'admin',
    202,
    t.action({ shelveOffload: null }, { before: (cloud, id) => cloud.put(id, { vmState: 'shelved' }) }),
  ),
  'os_compute_api:os-shelve:unshelve': trial('member', 202, t.action({ unshelve: null }, { before: shelved })),
  'os_compute_api:os-shelve:unshelve_to_host': trial(
    'admin',
    202,
    t.action({ unshelve: { host: 'host-1' } }, { minor: 91, before: shelved }),
    { stranger: 404 },
  ),
  'os_compute_api:servers:rebuild': trial('member', 202, rebuild),
  'os_compute_api:servers:trigger_crash_dump': trial('member', 202, t.action({ trigger_crash_dump: null })),
});
