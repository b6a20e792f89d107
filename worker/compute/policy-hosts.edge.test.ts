import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { newProject } from '../../test/edge-identity.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

/** What is about machines, limits and other services. */
export type HostAction = Extract<
  ComputeAction,
  | 'compute:aggregates:images'
  | `os_compute_api:${'limits' | 'os-quota' | 'os-availability' | 'os-aggregates' | 'os-hypervisors' | 'os-services' | 'os-hosts' | 'os-simple' | 'os-instance-usage' | 'os-server-external' | 'os-assisted' | 'extensions' | 'os-networks' | 'os-tenant-networks'}${string}`
>;

let hostId = '';
const t = new ComputeTrials(async () => {
  const cloud = await ComputeCloud.open();
  hostId = await cloud.addRunner({ name: 'host-1' });
  return cloud;
});
const ownProject = (path: string) => () => t.call('GET', path.replace('PROJECT', t.cloud.user.projectId));

/** A call about an aggregate, new for it. */
const onAggregate =
  (method: string, path = '', body?: unknown) =>
  async () => {
    const { aggregate } = await t.cloud.answer<{ aggregate: { id: number } }>('POST', '/os-aggregates', {
      as: t.cloud.admin,
      body: { aggregate: { name: crypto.randomUUID() } },
    });
    return t.call(method, `/os-aggregates/${aggregate.id}${path}`, body);
  };
const newAggregate = () => t.call('POST', '/os-aggregates', { aggregate: { name: crypto.randomUUID() } });

describePolicy<HostAction>('compute, machines and limits', t.cast, {
  'os_compute_api:limits': trial('anyone', 200, t.at('GET', '/limits')),
  'os_compute_api:limits:other_project': trial('admin', 200, ownProject('/limits?tenant_id=PROJECT')),
  'os_compute_api:os-quota-sets:show': trial('reader', 200, ownProject('/os-quota-sets/PROJECT'), { stranger: 403 }),
  'os_compute_api:os-quota-sets:defaults': trial('anyone', 200, ownProject('/os-quota-sets/PROJECT/defaults')),
  'os_compute_api:os-quota-sets:detail': trial('reader', 200, ownProject('/os-quota-sets/PROJECT/detail'), {
    stranger: 403,
  }),
  'os_compute_api:os-quota-sets:update': trial('admin', 200, async () =>
    t.call('PUT', `/os-quota-sets/${(await newProject()).id}`, { quota_set: { cores: 30 } }),
  ),
  'os_compute_api:os-quota-sets:delete': trial('admin', 202, () =>
    t.call('DELETE', `/os-quota-sets/${t.cloud.user.projectId}`),
  ),
  'os_compute_api:os-quota-class-sets:show': trial('admin', 200, t.at('GET', '/os-quota-class-sets/default')),
  'os_compute_api:os-quota-class-sets:update': trial(
    'admin',
    200,
    t.at('PUT', '/os-quota-class-sets/default', { quota_class_set: { cores: 30 } }),
  ),
  'os_compute_api:os-availability-zone:list': trial('anyone', 200, t.at('GET', '/os-availability-zone')),
  'os_compute_api:os-availability-zone:detail': trial('admin', 200, t.at('GET', '/os-availability-zone/detail')),
  'os_compute_api:os-aggregates:index': trial('admin', 200, t.at('GET', '/os-aggregates')),
  'os_compute_api:os-aggregates:show': trial('admin', 200, onAggregate('GET')),
  'os_compute_api:os-aggregates:create': trial('admin', 200, newAggregate),
  'os_compute_api:os-aggregates:update': trial(
    'admin',
    200,
    onAggregate('PUT', '', { aggregate: { availability_zone: null } }),
  ),
  'os_compute_api:os-aggregates:delete': trial('admin', 200, onAggregate('DELETE')),
  'os_compute_api:os-aggregates:add_host': trial(
    'admin',
    200,
    onAggregate('POST', '/action', { add_host: { host: 'host-1' } }),
  ),
  'os_compute_api:os-aggregates:remove_host': trial(
    'admin',
    404,
    onAggregate('POST', '/action', { remove_host: { host: 'host-1' } }),
  ),
  'os_compute_api:os-aggregates:set_metadata': trial(
    'admin',
    200,
    onAggregate('POST', '/action', { set_metadata: { metadata: { a: 'b' } } }),
  ),
  'compute:aggregates:images': trial('admin', 202, () =>
    onAggregate('POST', '/images', { cache: [{ id: t.cloud.imageId }] })(),
  ),
  'os_compute_api:os-hosts:list': trial('admin', 200, t.at('GET', '/os-hosts', undefined, 42)),
  'os_compute_api:os-hosts:show': trial('admin', 200, t.at('GET', '/os-hosts/host-1', undefined, 42)),
  'os_compute_api:os-hosts:update': trial('admin', 200, t.at('PUT', '/os-hosts/host-1', { status: 'enable' }, 42)),
  'os_compute_api:os-hosts:start': trial('admin', 501, t.at('GET', '/os-hosts/host-1/startup', undefined, 42)),
  'os_compute_api:os-hosts:shutdown': trial('admin', 501, t.at('GET', '/os-hosts/host-1/shutdown', undefined, 42)),
  'os_compute_api:os-hosts:reboot': trial('admin', 501, t.at('GET', '/os-hosts/host-1/reboot', undefined, 42)),
  // No runner is behind the machine's row: it does not answer.
  'os_compute_api:os-hypervisors:uptime': trial('admin', 400, () =>
    t.call('GET', `/os-hypervisors/${hostId}/uptime`, undefined, 87),
  ),
  'os_compute_api:os-services:delete': trial('admin', 204, async () =>
    t.call('DELETE', `/os-services/${await t.cloud.addRunner({ state: 'disabled' })}`),
  ),
  'os_compute_api:os-hypervisors:list': trial('admin', 200, t.at('GET', '/os-hypervisors')),
  'os_compute_api:os-hypervisors:list-detail': trial('admin', 200, t.at('GET', '/os-hypervisors/detail')),
  'os_compute_api:os-hypervisors:show': trial('admin', 200, () => t.call('GET', `/os-hypervisors/${hostId}`)),
  'os_compute_api:os-hypervisors:search': trial(
    'admin',
    200,
    t.at('GET', '/os-hypervisors/host-1/search', undefined, 52),
  ),
  'os_compute_api:os-hypervisors:servers': trial(
    'admin',
    200,
    t.at('GET', '/os-hypervisors/host-1/servers', undefined, 52),
  ),
  'os_compute_api:os-hypervisors:statistics': trial(
    'admin',
    200,
    t.at('GET', '/os-hypervisors/statistics', undefined, 87),
  ),
  'os_compute_api:os-services:list': trial('admin', 200, t.at('GET', '/os-services')),
  'os_compute_api:os-services:update': trial('admin', 200, () =>
    t.call('PUT', `/os-services/${hostId}`, { status: 'enabled' }),
  ),
  'os_compute_api:os-simple-tenant-usage:list': trial('admin', 200, t.at('GET', '/os-simple-tenant-usage')),
  'os_compute_api:os-simple-tenant-usage:show': trial('reader', 200, ownProject('/os-simple-tenant-usage/PROJECT'), {
    stranger: 403,
  }),
  'os_compute_api:os-instance-usage-audit-log:list': trial('admin', 200, t.at('GET', '/os-instance_usage_audit_log')),
  'os_compute_api:os-instance-usage-audit-log:show': trial(
    'admin',
    200,
    t.at('GET', '/os-instance_usage_audit_log/2026-01-01%2000%3A00%3A00'),
  ),
  'os_compute_api:os-server-external-events:create': trial(
    'admin',
    404,
    t.at('POST', '/os-server-external-events', {
      events: [{ name: 'network-changed', server_uuid: '11111111-2222-3333-4444-555555555555' }],
    }),
  ),
  'os_compute_api:os-assisted-volume-snapshots:create': trial(
    'admin',
    400,
    t.at('POST', '/os-assisted-volume-snapshots', { snapshot: { volume_id: 'v', create_info: {} } }),
  ),
  'os_compute_api:os-assisted-volume-snapshots:delete': trial(
    'admin',
    404,
    t.at('DELETE', '/os-assisted-volume-snapshots/s'),
  ),
  'os_compute_api:extensions': trial('anyone', 200, t.at('GET', '/extensions')),
  'os_compute_api:os-networks:list': trial('reader', 200, t.at('GET', '/os-networks', undefined, 35), {
    stranger: 200,
  }),
  'os_compute_api:os-networks:show': trial('reader', 404, t.at('GET', '/os-networks/none', undefined, 35)),
  'os_compute_api:os-tenant-networks:list': trial('reader', 200, t.at('GET', '/os-tenant-networks', undefined, 35), {
    stranger: 200,
  }),
  'os_compute_api:os-tenant-networks:show': trial(
    'reader',
    404,
    t.at('GET', '/os-tenant-networks/none', undefined, 35),
  ),
});
