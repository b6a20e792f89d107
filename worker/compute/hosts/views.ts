import type { Rendering } from '../http/env.ts';
import { instanceName, novaTime } from '../servers/views.ts';
import { type HostRow, isUp, numberOf } from './find-hosts.ts';
import type { Hypervisor } from './hypervisors.ts';

const idOf = (row: HostRow, { version }: Rendering) => (version >= 53 ? row.id : numberOf(row.id));
const enabledText = (row: HostRow) => (row.state === 'enabled' ? 'enabled' : 'disabled');
const reasonOf = (row: HostRow) => row.stateReason ?? (row.state === 'draining' ? 'draining' : null);

/** A machine in a list without details. */
export function hypervisorView({ row, servers }: Hypervisor, rendering: Rendering, nowMs: number) {
  const listed = (servers ?? []).map(({ id, number }) => ({ name: instanceName(number), uuid: id }));
  return {
    id: idOf(row, rendering),
    hypervisor_hostname: row.name,
    state: isUp(row, nowMs) ? 'up' : 'down',
    status: enabledText(row),
    ...(listed.length > 0 || (servers !== null && rendering.version >= 75) ? { servers: listed } : {}),
  };
}

/** What a machine has, has given away and has left; until 2.87, when Nova left it to placement. */
function usageView(row: HostRow, version: number) {
  return {
    vcpus: row.vcpus,
    memory_mb: row.memoryMib,
    local_gb: row.diskGib,
    vcpus_used: row.vcpusClaimed,
    memory_mb_used: row.memoryMibClaimed,
    local_gb_used: row.diskGibClaimed,
    free_ram_mb: row.memoryMib - row.memoryMibClaimed,
    free_disk_gb: row.diskGib - row.diskGibClaimed,
    current_workload: 0,
    running_vms: row.guests,
    disk_available_least: row.diskGibAllocatable - row.diskGibClaimed,
    cpu_info: version >= 28 ? {} : '',
  };
}

/** A machine in full. It dials out, so no address of its own is known. */
export function hypervisorDetailView(hypervisor: Hypervisor, rendering: Rendering, nowMs: number) {
  const { row } = hypervisor;
  return {
    ...hypervisorView(hypervisor, rendering, nowMs),
    hypervisor_type: (row.hypervisor ?? 'unknown').toUpperCase(),
    hypervisor_version: 0,
    host_ip: '0.0.0.0',
    service: { id: idOf(row, rendering), host: row.name, disabled_reason: reasonOf(row) },
    ...(rendering.version >= 88 ? { uptime: null } : usageView(row, rendering.version)),
  };
}

/** The sums over all machines. */
export function statisticsView(rows: HostRow[]) {
  const sum = (of: (row: HostRow) => number) => rows.reduce((total, row) => total + of(row), 0);
  return {
    count: rows.length,
    vcpus: sum((row) => row.vcpus),
    vcpus_used: sum((row) => row.vcpusClaimed),
    memory_mb: sum((row) => row.memoryMib),
    memory_mb_used: sum((row) => row.memoryMibClaimed),
    free_ram_mb: sum((row) => row.memoryMib - row.memoryMibClaimed),
    local_gb: sum((row) => row.diskGib),
    local_gb_used: sum((row) => row.diskGibClaimed),
    free_disk_gb: sum((row) => row.diskGib - row.diskGibClaimed),
    disk_available_least: sum((row) => row.diskGibAllocatable - row.diskGibClaimed),
    current_workload: 0,
    running_vms: sum((row) => row.guests),
  };
}

/** A machine as the compute service that it would run in Nova. */
export function serviceView(row: HostRow, rendering: Rendering, nowMs: number) {
  return {
    id: idOf(row, rendering),
    binary: 'nova-compute',
    host: row.name,
    zone: row.zone,
    status: enabledText(row),
    state: isUp(row, nowMs) ? 'up' : 'down',
    updated_at: row.lastSeenAtMs === null ? null : novaTime(row.lastSeenAtMs),
    disabled_reason: reasonOf(row),
    ...(rendering.version >= 11 ? { forced_down: row.forcedDown } : {}),
  };
}

/** Zones with whether a machine in them may be chosen; with their machines for an operator. */
export function zonesView(rows: HostRow[], of: { detail: boolean; nowMs: number }) {
  const zones = [...new Set(rows.map((row) => row.zone))].sort();
  return zones
    .map((zone) => {
      const hosts = rows.filter((row) => row.zone === zone && row.state === 'enabled');
      const shown =
        of.detail && hosts.length > 0
          ? Object.fromEntries(hosts.map((row) => [row.name, hostView(row, of.nowMs)]))
          : null;
      return { zoneName: zone, zoneState: { available: hosts.length > 0 }, hosts: shown };
    })
    .sort((a, b) => Number(b.zoneState.available) - Number(a.zoneState.available));
}

const hostView = (row: HostRow, nowMs: number) => ({
  'nova-compute': {
    available: isUp(row, nowMs),
    active: true,
    updated_at: row.lastSeenAtMs === null ? null : novaTime(row.lastSeenAtMs),
  },
});
