import { Hono } from 'hono';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeEnv } from '../http/env.ts';
import { policy } from '../policy.ts';

/** What Nova's first API was extended by, and has long been part of it: names by alias. Clients look for some of them. */
const EXTENSIONS: Readonly<Record<string, string>> = {
  NMN: 'Multinic',
  'OS-DCF': 'DiskConfig',
  'OS-EXT-AZ': 'ExtendedAvailabilityZone',
  'OS-EXT-IMG-SIZE': 'ImageSize',
  'OS-EXT-IPS': 'ExtendedIps',
  'OS-EXT-IPS-MAC': 'ExtendedIpsMac',
  'OS-EXT-SRV-ATTR': 'ExtendedServerAttributes',
  'OS-EXT-STS': 'ExtendedStatus',
  'OS-FLV-DISABLED': 'FlavorDisabled',
  'OS-FLV-EXT-DATA': 'FlavorExtraData',
  'OS-SCH-HNT': 'SchedulerHints',
  'OS-SRV-USG': 'ServerUsage',
  'os-access-ips': 'AccessIPs',
  'os-admin-actions': 'AdminActions',
  'os-admin-password': 'AdminPassword',
  'os-aggregates': 'Aggregates',
  'os-attach-interfaces': 'AttachInterfaces',
  'os-availability-zone': 'AvailabilityZone',
  'os-block-device-mapping-v2-boot': 'BlockDeviceMappingV2Boot',
  'os-config-drive': 'ConfigDrive',
  'os-console-output': 'ConsoleOutput',
  'os-consoles': 'Consoles',
  'os-create-backup': 'CreateBackup',
  'os-create-server-ext': 'Createserverext',
  'os-deferred-delete': 'DeferredDelete',
  'os-evacuate': 'Evacuate',
  'os-extended-quotas': 'ExtendedQuotas',
  'os-extended-services': 'ExtendedServices',
  'os-extended-services-delete': 'ExtendedServicesDelete',
  'os-flavor-access': 'FlavorAccess',
  'os-flavor-extra-specs': 'FlavorExtraSpecs',
  'os-flavor-manage': 'FlavorManage',
  'os-flavor-rxtx': 'FlavorRxtx',
  'os-flavor-swap': 'FlavorSwap',
  'os-hide-server-addresses': 'HideServerAddresses',
  'os-hosts': 'Hosts',
  'os-hypervisor-status': 'HypervisorStatus',
  'os-hypervisors': 'Hypervisors',
  'os-instance-actions': 'InstanceActions',
  'os-instance_usage_audit_log': 'OSInstanceUsageAuditLog',
  'os-keypairs': 'Keypairs',
  'os-lock-server': 'LockServer',
  'os-migrate-server': 'MigrateServer',
  'os-migrations': 'Migrations',
  'os-multiple-create': 'MultipleCreate',
  'os-networks': 'Networks',
  'os-pause-server': 'PauseServer',
  'os-personality': 'Personality',
  'os-quota-class-sets': 'QuotaClasses',
  'os-quota-sets': 'Quotas',
  'os-rescue': 'Rescue',
  'os-security-groups': 'SecurityGroups',
  'os-server-diagnostics': 'ServerDiagnostics',
  'os-server-external-events': 'ServerExternalEvents',
  'os-server-group-quotas': 'ServerGroupQuotas',
  'os-server-groups': 'ServerGroups',
  'os-server-list-multi-status': 'ServerListMultiStatus',
  'os-server-password': 'ServerPassword',
  'os-server-sort-keys': 'ServerSortKeys',
  'os-server-start-stop': 'ServerStartStop',
  'os-services': 'Services',
  'os-shelve': 'Shelve',
  'os-simple-tenant-usage': 'SimpleTenantUsage',
  'os-suspend-server': 'SuspendServer',
  'os-tenant-networks': 'OSTenantNetworks',
  'os-used-limits': 'UsedLimits',
  'os-used-limits-for-admin': 'UsedLimitsForAdmin',
  'os-user-data': 'UserData',
  'os-user-quotas': 'UserQuotas',
};

const extensionView = (alias: string, name: string) => ({
  name,
  alias,
  description: '',
  namespace: 'http://docs.openstack.org/compute/ext/fake_xml',
  updated: '2014-12-03T00:00:00Z',
  links: [],
});

/** `/extensions`. */
export const extensionRoutes = new Hono<ComputeEnv>();

extensionRoutes.get('/', (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:extensions');
  return c.json({ extensions: Object.entries(EXTENSIONS).map(([alias, name]) => extensionView(alias, name)) });
});

extensionRoutes.get('/:alias', (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:extensions');
  const alias = c.req.param('alias');
  const name = Object.hasOwn(EXTENSIONS, alias) ? EXTENSIONS[alias] : undefined;
  if (name === undefined) throw notFound('The resource could not be found.');
  return c.json({ extension: extensionView(alias, name) });
});
