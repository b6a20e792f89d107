import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

type FlavorAction = Extract<ComputeAction, `os_compute_api:${'os-flavor' | 'os-keypairs'}${string}`>;

const t = new ComputeTrials(ComputeCloud.open);
/** A call below a flavor of its own, which may be private. */
const onFlavor =
  (method: string, path: string, body?: unknown, of: { specs?: Record<string, string>; private?: boolean } = {}) =>
  async () => {
    const id = await t.cloud.addFlavor({ isPublic: !of.private, ...(of.specs ? { extraSpecs: of.specs } : {}) });
    return t.call(method, `/flavors/${id}${path}`, body);
  };
const specs = { 'hw:cpu_policy': 'shared' };
const newFlavor = () => ({ flavor: { name: `f-${crypto.randomUUID()}`, ram: 1, vcpus: 1, disk: 1 } });
const newKeypair = (userId?: string) => ({
  keypair: {
    name: `k-${crypto.randomUUID()}`,
    type: 'ssh',
    public_key: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f',
    ...(userId ? { user_id: userId } : {}),
  },
});
/** A call about a key pair of a user who is none of those that try. */
const onKeypair = (method: string) => async () => {
  const { user } = t.cloud;
  const { keypair } = await t.cloud.answer<{ keypair: { name: string } }>('POST', '/os-keypairs', {
    body: newKeypair(),
    version: '2.90',
    status: 201,
  });
  return t.call(method, `/os-keypairs/${keypair.name}?user_id=${user.userId}`);
};

describePolicy<FlavorAction>('compute, flavors and key pairs', t.cast, {
  'os_compute_api:os-flavor-manage:create': trial('admin', 200, () => t.call('POST', '/flavors', newFlavor())),
  'os_compute_api:os-flavor-manage:update': trial('admin', 200, onFlavor('PUT', '', { flavor: { description: 'x' } })),
  'os_compute_api:os-flavor-manage:delete': trial('admin', 202, onFlavor('DELETE', '')),
  'os_compute_api:os-flavor-access': trial(
    'admin',
    200,
    onFlavor('GET', '/os-flavor-access', undefined, { private: true }),
  ),
  'os_compute_api:os-flavor-access:add_tenant_access': trial(
    'admin',
    200,
    onFlavor('POST', '/action', { addTenantAccess: { tenant: 'a'.repeat(32) } }, { private: true }),
  ),
  'os_compute_api:os-flavor-access:remove_tenant_access': trial('admin', 200, async () => {
    const call = await onFlavor('POST', '/action', undefined, { private: true })();
    const tenant = 'a'.repeat(32);
    const path = call.path.replace(/^.*\/v2.1/, '');
    await t.cloud.answer('POST', path, { body: { addTenantAccess: { tenant } }, as: t.cloud.admin });
    return { ...call, body: { removeTenantAccess: { tenant } } };
  }),
  'os_compute_api:os-flavor-extra-specs:index': trial('reader', 200, onFlavor('GET', '/os-extra_specs'), {
    stranger: 200,
  }),
  'os_compute_api:os-flavor-extra-specs:show': trial(
    'reader',
    200,
    onFlavor('GET', '/os-extra_specs/hw:cpu_policy', undefined, { specs }),
    { stranger: 200 },
  ),
  'os_compute_api:os-flavor-extra-specs:create': trial(
    'admin',
    200,
    onFlavor('POST', '/os-extra_specs', { extra_specs: specs }),
  ),
  'os_compute_api:os-flavor-extra-specs:update': trial(
    'admin',
    200,
    onFlavor('PUT', '/os-extra_specs/hw:cpu_policy', specs, { specs }),
  ),
  'os_compute_api:os-flavor-extra-specs:delete': trial(
    'admin',
    200,
    onFlavor('DELETE', '/os-extra_specs/hw:cpu_policy', undefined, { specs }),
  ),

  'os_compute_api:os-keypairs:index': [
    trial('anyone', 200, t.at('GET', '/os-keypairs')),
    trial('admin', 200, () => t.call('GET', `/os-keypairs?user_id=${t.cloud.user.userId}`)),
  ],
  'os_compute_api:os-keypairs:show': trial('admin', 200, onKeypair('GET')),
  'os_compute_api:os-keypairs:create': [
    trial('anyone', 201, () => t.call('POST', '/os-keypairs', newKeypair())),
    trial('admin', 201, () => t.call('POST', '/os-keypairs', newKeypair(t.cloud.user.userId))),
  ],
  'os_compute_api:os-keypairs:delete': trial('admin', 204, onKeypair('DELETE')),
});
