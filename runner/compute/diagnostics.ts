import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { cpuNsOf, residentKibOf } from '../host/processes.ts';
import type { ComputeContext } from './context.ts';
import { diskStats } from './disk-stats.ts';
import type { LiveGuest } from './live-guest.ts';

const MIB = 1024 * 1024;

/** How a running guest fares: its processors' time, and what its disks and ports have moved since it was started. */
export async function diagnose(ctx: ComputeContext, live: LiveGuest, portIds: readonly string[]) {
  const [cpus, disks, memory] = await Promise.all([
    live.execute<{ 'cpu-index': number; 'thread-id': number }[]>('query-cpus-fast'),
    diskStats(live),
    live.execute<{ 'base-memory': number }>('query-memory-size-summary'),
  ]);
  return {
    cpus: await Promise.all(
      cpus.map(async (cpu) => ({
        id: cpu['cpu-index'],
        time_ns: await threadTime(live.process.pid, cpu['thread-id']),
      })),
    ),
    disks: disks.map((stats, index) => ({
      name: `vd${String.fromCharCode('a'.charCodeAt(0) + index)}`,
      read_bytes: stats.rd_bytes ?? null,
      read_requests: stats.rd_operations ?? null,
      write_bytes: stats.wr_bytes ?? null,
      write_requests: stats.wr_operations ?? null,
      errors: (stats.failed_rd_operations ?? 0) + (stats.failed_wr_operations ?? 0),
    })),
    nics: await Promise.all(portIds.flatMap((id) => nicOf(ctx, id) ?? [])),
    memory: { maximum_mib: Math.round(memory['base-memory'] / MIB), used_mib: await residentMib(live.process.pid) },
  };
}

/** Nanoseconds of processor time that a thread of QEMU has had. */
async function threadTime(pid: number, thread: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/task/${thread}/stat`, 'utf8').catch(() => null);
  return stat === null ? null : cpuNsOf(stat);
}

async function residentMib(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = residentKibOf(status);
  return kib === null ? null : Math.round(kib / 1024);
}

/** What a tap sends is what its guest receives. */
function nicOf(ctx: ComputeContext, portId: string) {
  const port = ctx.inventory.ports.get(portId)?.spec;
  if (!port) return null;
  const read = async (name: string): Promise<number | null> => {
    const text = await readFile(join('/sys/class/net', ctx.names.tap(portId), 'statistics', name), 'utf8').catch(
      () => null,
    );
    return text === null ? null : Number(text);
  };
  return (async () => ({
    mac_address: port.mac_address,
    rx_bytes: await read('tx_bytes'),
    rx_packets: await read('tx_packets'),
    rx_errors: await read('tx_errors'),
    rx_drop: await read('tx_dropped'),
    tx_bytes: await read('rx_bytes'),
    tx_packets: await read('rx_packets'),
    tx_errors: await read('rx_errors'),
    tx_drop: await read('rx_dropped'),
  }))();
}
