import { ComputeCloud } from '../../test/compute-cloud.ts';
import { ComputeTrials } from '../../test/compute-policy.ts';
import { newProject } from '../../test/edge-identity.ts';
import { describePolicy, trial } from '../../test/edge-policy.ts';
import type { ComputeAction } from './policy.ts';

type HostAction = Extract<
  ComputeAction,
  `os_compute_api:${'limits' | 'os-quota' | 'os-availability' | 'os-aggregates' | 'os-hypervisors' | 'os-services'}${string}`
>;

let hostId = '';
const t = new ComputeTrials(async () => {
  const cloud = await ComputeCloud.open();
  hostId = await cloud.addRunner({ name: 'host-1' });
  return cloud;
});
const ownProject = (path: string) => () => t.call('GET', path.replace('PROJECT', t.cloud.user.projectId));

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
});
