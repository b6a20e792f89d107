import { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { conflict, serviceUnavailable } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { policy } from '../policy.ts';
import { findServer } from './find-server.ts';
import type { ServerRow } from './server-rows.ts';

const TIMEOUT_MS = 10_000;
const RETRY_AFTER_S = 5;
const MIB = 1024;

const count = z.number().nullable().default(null);
/** What a host answers; see docs/protocol.md. */
const answered = z.object({
  cpus: z.array(z.object({ id: z.number(), time_ns: count })).default([]),
  disks: z
    .array(
      z.object({
        name: z.string(),
        ...{ read_bytes: count, read_requests: count, write_bytes: count, write_requests: count, errors: count },
      }),
    )
    .default([]),
  nics: z
    .array(
      z.object({
        mac_address: z.string(),
        ...{ rx_bytes: count, rx_packets: count, rx_errors: count, rx_drop: count },
        ...{ tx_bytes: count, tx_packets: count, tx_errors: count, tx_drop: count },
      }),
    )
    .default([]),
  memory: z.object({ maximum_mib: count, used_mib: count }).default({ maximum_mib: null, used_mib: null }),
});
type Diagnostics = z.infer<typeof answered>;

/** How a running guest fares, as its host sees it. @throws ApiError 404; 409 not running; 503 the host does not answer */
export async function serverDiagnostics(
  ctx: ActorContext,
  id: string,
): Promise<{ row: ServerRow; diagnostics: Diagnostics }> {
  authorize(ctx, policy, 'os_compute_api:os-server-diagnostics');
  const row = await findServer(ctx, id);
  if (row.runnerId === null) throw conflict(`Instance ${id} is not ready`);
  if (row.powerState !== 1 && row.powerState !== 3) {
    throw conflict(
      `Instance ${id} in power_state ${row.powerState}. Cannot get_diagnostics while the instance is in this state.`,
    );
  }
  const answer = await ctx.fleet.query(row.runnerId, { kind: 'diagnostics', targetId: id, args: {} }, TIMEOUT_MS);
  if (answer.ok) return { row, diagnostics: answered.parse(answer.result) };
  if (answer.fault.code === 404 || answer.fault.code === 409) throw conflict(`Instance ${id} is not ready`);
  throw serviceUnavailable(`The host of instance ${id} does not answer: ${answer.fault.message}`, RETRY_AFTER_S);
}

/** Before 2.48: the names of the hypervisor's own counters. */
export function oldDiagnosticsView({ cpus, disks, nics, memory }: Diagnostics) {
  const entries: [string, number | null][] = [
    ...cpus.map(({ id, time_ns }): [string, number | null] => [`cpu${id}_time`, time_ns]),
    ['memory', memory.maximum_mib === null ? null : memory.maximum_mib * MIB],
    ['memory-actual', memory.used_mib === null ? null : memory.used_mib * MIB],
    ...disks.flatMap((disk): [string, number | null][] => [
      [`${disk.name}_read`, disk.read_bytes],
      [`${disk.name}_read_req`, disk.read_requests],
      [`${disk.name}_write`, disk.write_bytes],
      [`${disk.name}_write_req`, disk.write_requests],
      [`${disk.name}_errors`, disk.errors],
    ]),
    ...nics.flatMap((nic, index): [string, number | null][] => [
      [`vnet${index}_rx`, nic.rx_bytes],
      [`vnet${index}_rx_packets`, nic.rx_packets],
      [`vnet${index}_rx_errors`, nic.rx_errors],
      [`vnet${index}_rx_drop`, nic.rx_drop],
      [`vnet${index}_tx`, nic.tx_bytes],
      [`vnet${index}_tx_packets`, nic.tx_packets],
      [`vnet${index}_tx_errors`, nic.tx_errors],
      [`vnet${index}_tx_drop`, nic.tx_drop],
    ]),
  ];
  return Object.fromEntries(entries);
}

const STATES: Readonly<Record<number, string>> = { 1: 'running', 3: 'paused' };

/** From 2.48: the same for every hypervisor. */
export function diagnosticsView(row: ServerRow, { cpus, disks, nics, memory }: Diagnostics, nowMs: number) {
  return {
    state: STATES[row.powerState] ?? 'running',
    driver: 'libvirt',
    hypervisor: 'qemu',
    hypervisor_os: 'linux',
    uptime: row.launchedAtMs === null ? null : Math.floor((nowMs - row.launchedAtMs) / 1000),
    config_drive: row.configDrive === 1,
    num_cpus: cpus.length,
    num_nics: nics.length,
    num_disks: disks.length,
    disk_details: disks.map(({ name: _name, errors, ...disk }) => ({ ...disk, errors_count: errors })),
    cpu_details: cpus.map(({ id, time_ns }) => ({ id, time: time_ns, utilisation: null })),
    nic_details: nics.map((nic) => ({
      mac_address: nic.mac_address,
      ...{ rx_octets: nic.rx_bytes, rx_errors: nic.rx_errors, rx_drop: nic.rx_drop, rx_packets: nic.rx_packets },
      ...{ rx_rate: null, tx_octets: nic.tx_bytes, tx_errors: nic.tx_errors, tx_drop: nic.tx_drop },
      ...{ tx_packets: nic.tx_packets, tx_rate: null },
    })),
    memory_details: { maximum: memory.maximum_mib, used: memory.used_mib },
  };
}
