import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ComputeContext } from './context.ts';
import type { LiveGuest } from './live-guest.ts';

const CLOCK_TICKS_PER_S = 100;
const MIB = 1024 * 1024;

interface BlockStats {
  'node-name'?: string;
  qdev?: string;
  stats: Record<string, number>;
}

/** How a running guest fares: its processors' time, and what its disks and ports have moved since it was started. */
export async function diagnose(ctx: ComputeContext, live: LiveGuest, portIds: readonly string[]) {
  const [cpus, blocks, memory] = await Promise.all([
    live.execute<{ 'cpu-index': number; 'thread-id': number }[]>('query-cpus-fast'),
    live.execute<BlockStats[]>('query-blockstats'),
    live.execute<{ 'base-memory': number }>('query-memory-size-summary'),
  ]);
  const disks = blocks.filter((one) => one.qdev !== undefined);
  return {
    cpus: await Promise.all(
      cpus.map(async (cpu) => ({
        id: cpu['cpu-index'],
        time_ns: await threadTime(live.process.pid, cpu['thread-id']),
      })),
    ),
    disks: disks.map(({ stats }, index) => ({
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
  if (stat === null) return null;
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return Math.round(((Number(fields[11]) + Number(fields[12])) / CLOCK_TICKS_PER_S) * 1e9);
}

async function residentMib(pid: number): Promise<number | null> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kib = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1];
  return kib === undefined ? null : Math.round(Number(kib) / 1024);
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
