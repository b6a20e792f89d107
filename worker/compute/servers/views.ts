import { createHash } from 'node:crypto';
import { Lru } from '../../../shared/lru.ts';
import type { Rendering } from '../http/env.ts';
import { bookmarkOf, linksOf } from '../http/links.ts';
import type { ServerRow } from './server-rows.ts';
import { FAULT_STATUSES, PROGRESS_STATUSES, statusOf } from './statuses.ts';

/** Nova's time of an answer: no fraction of a second. */
export const isoTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
/** The time of older members, which have a fraction and no zone. */
export const novaTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 23)}000`;
const orNull = (ms: number | null): string | null => (ms === null ? null : novaTime(ms));

/** Hashes kept; a page shows few hosts many times. */
const hostIds = new Lru<string, string>(10_000);

/** A host's name that tells a tenant nothing but whether two servers share it. */
export function hostIdOf(host: string | null, projectId: string): string {
  if (host === null) return '';
  const both = `${projectId}${host}`;
  const known = hostIds.get(both);
  if (known !== undefined) return known;
  const hash = createHash('sha224').update(both).digest('hex');
  hostIds.set(both, hash);
  return hash;
}

/** The name that libvirt would give the guest. */
export const instanceName = (number: number): string => `instance-${number.toString(16).padStart(8, '0')}`;

/** A server in a list without details. */
export function basicView(row: Pick<ServerRow, 'id' | 'name'>, { links }: Rendering) {
  return { id: row.id, name: row.name, links: linksOf(links, 'servers', row.id) };
}

/** The answer to a create. */
export function createdView(
  server: { id: string; diskConfig: string; securityGroups: { name: string }[]; adminPass: string },
  { links }: Rendering,
) {
  return {
    server: {
      id: server.id,
      links: linksOf(links, 'servers', server.id),
      'OS-DCF:diskConfig': server.diskConfig,
      security_groups: server.securityGroups,
      adminPass: server.adminPass,
    },
  };
}

/** A server's addresses by network, as far as it has been built. */
export function addressesView(row: Pick<ServerRow, 'addresses'>, extended: boolean) {
  const networks: Record<string, object[]> = {};
  for (const { network, address, mac, floating = [] } of row.addresses) {
    const of = (addr: string, type: 'fixed' | 'floating') => ({
      version: addr.includes(':') ? 6 : 4,
      addr,
      ...(extended ? { 'OS-EXT-IPS:type': type, 'OS-EXT-IPS-MAC:mac_addr': mac } : {}),
    });
    networks[network] ??= [];
    networks[network].push(of(address, 'fixed'), ...floating.map((addr) => of(addr, 'floating')));
  }
  return networks;
}

function flavorView({ flavor }: ServerRow, { version, links }: Rendering) {
  if (version < 47) return { id: flavor.id, links: bookmarkOf(links, 'flavors', flavor.id) };
  return {
    vcpus: flavor.vcpus,
    ram: flavor.ramMib,
    disk: flavor.diskGib,
    ephemeral: flavor.ephemeralGib,
    swap: flavor.swapMib,
    original_name: flavor.name,
    extra_specs: flavor.extraSpecs,
  };
}

function faultView({ fault }: ServerRow, admin: boolean) {
  if (!fault) return {};
  const details = fault.details && (admin || fault.code !== 500) ? { details: fault.details } : {};
  return { fault: { code: fault.code, created: isoTime(fault.createdAtMs), message: fault.message, ...details } };
}

/** What Nova shows to operators alone. */
function hostView(row: ServerRow, version: number) {
  return {
    'OS-EXT-SRV-ATTR:host': row.host,
    'OS-EXT-SRV-ATTR:instance_name': instanceName(row.number),
    'OS-EXT-SRV-ATTR:hypervisor_hostname': row.host,
    ...(version < 3
      ? {}
      : {
          'OS-EXT-SRV-ATTR:hostname': row.hostname,
          'OS-EXT-SRV-ATTR:kernel_id': '',
          'OS-EXT-SRV-ATTR:launch_index': row.launchIndex,
          'OS-EXT-SRV-ATTR:ramdisk_id': '',
          'OS-EXT-SRV-ATTR:reservation_id': row.reservationId,
          'OS-EXT-SRV-ATTR:root_device_name': '/dev/vda',
          'OS-EXT-SRV-ATTR:user_data': row.userData ?? null,
        }),
  };
}

/** How a server's machine is, in Nova's words for a compute service. */
function hostStatusOf(row: ServerRow, nowMs: number): string {
  if (row.runnerId === null) return '';
  if (row.hostState === 'forced-down') return 'DOWN';
  if (row.hostState !== 'enabled') return 'MAINTENANCE';
  return row.hostLeaseMs !== null && row.hostLeaseMs > nowMs ? 'UP' : 'UNKNOWN';
}

/** Members that came with later versions. */
function laterView(row: ServerRow, { version, admin }: Rendering, nowMs: number, groups: boolean) {
  return {
    ...(version >= 9 ? { locked: row.lockedBy !== null } : {}),
    ...(version >= 16 && admin ? { host_status: hostStatusOf(row, nowMs) } : {}),
    ...(version >= 19 ? { description: row.description } : {}),
    ...(version >= 26 ? { tags: row.tags } : {}),
    ...(version >= 63 ? { trusted_image_certificates: null } : {}),
    ...(version >= 71 && groups ? { server_groups: row.serverGroups ?? [] } : {}),
    ...(version >= 73 ? { locked_reason: row.lockedReason } : {}),
    ...(version >= 90 && !admin ? { 'OS-EXT-SRV-ATTR:hostname': row.hostname } : {}),
  };
}

/** Members that the answer to a PUT has only from 2.75. */
function extendedView(row: ServerRow, { version, admin }: Rendering) {
  return {
    'OS-EXT-AZ:availability_zone': row.zone,
    config_drive: row.configDrive === 1 ? 'True' : '',
    key_name: row.keyName,
    'OS-SRV-USG:launched_at': orNull(row.launchedAtMs),
    'OS-SRV-USG:terminated_at': orNull(row.terminatedAtMs),
    ...(row.securityGroups.length > 0 ? { security_groups: row.securityGroups } : {}),
    ...(admin ? hostView(row, version) : {}),
    'OS-EXT-STS:task_state': row.taskState,
    'OS-EXT-STS:vm_state': row.vmState,
    'OS-EXT-STS:power_state': row.powerState,
    'os-extended-volumes:volumes_attached': [],
  };
}

/**
 * A server in full.
 * @param of.form - `detail` has no server groups; `updated`, the answer to a PUT, is short before 2.75
 */
export function serverView(
  row: ServerRow,
  rendering: Rendering,
  of: { nowMs: number; form: 'show' | 'detail' | 'updated' },
) {
  const { version, links, admin } = rendering;
  const status = row.deletedAtMs === null ? statusOf(row.vmState, row.taskState) : 'DELETED';
  const short = of.form === 'updated' && version < 75;
  return {
    id: row.id,
    name: row.name,
    status,
    tenant_id: row.projectId,
    user_id: row.userId,
    metadata: row.metadata,
    hostId: hostIdOf(row.host, row.projectId),
    image: row.imageId === '' ? '' : { id: row.imageId, links: bookmarkOf(links, 'images', row.imageId) },
    flavor: flavorView(row, rendering),
    created: isoTime(row.createdAtMs),
    updated: isoTime(row.updatedAtMs),
    addresses: row.vmState === 'building' ? {} : addressesView(row, !short),
    accessIPv4: row.accessIpV4 ?? '',
    accessIPv6: row.accessIpV6 ?? '',
    links: linksOf(links, 'servers', row.id),
    'OS-DCF:diskConfig': row.diskConfig,
    ...(FAULT_STATUSES.has(status) ? faultView(row, admin) : {}),
    ...(PROGRESS_STATUSES.has(status) ? { progress: row.progress } : {}),
    ...(short ? {} : extendedView(row, rendering)),
    ...laterView(row, short ? { ...rendering, admin: false } : rendering, of.nowMs, of.form !== 'detail'),
  };
}
