import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Capacity } from '../../shared/protocol/messages.ts';
import { NS_PER_TICK } from './processes.ts';

const KIB_PER_MIB = 1024;
/** Of a line of processor times in /proc/stat: user, nice, system, irq, softirq, steal; the others are idle. */
const BUSY = [0, 1, 2, 5, 6, 7];
const BYTES_PER_GIB = 1024 ** 3;

/** New at each boot of the machine. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
}

/** What the machine has used: of its processors since its boot, of its memory and of the file system of a path now. */
export interface MachineUsage {
  cpuNs: number;
  memoryBytes: number;
  diskBytes: number;
}

export async function machineUsage(path: string): Promise<MachineUsage> {
  const [stat, memory, fs] = await Promise.all([
    readFile('/proc/stat', 'utf8'),
    readFile('/proc/meminfo', 'utf8'),
    statfs(path),
  ]);
  const times = (/^cpu +(.*)$/m.exec(stat)?.[1] ?? '').split(' ').map(Number);
  // Guests' time is in user and nice already.
  const ticks = BUSY.reduce((sum, at) => sum + (times[at] ?? 0), 0);
  const kib = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(memory)?.[1] ?? 0);
  return {
    cpuNs: ticks * NS_PER_TICK,
    memoryBytes: (kib('MemTotal') - kib('MemAvailable')) * 1024,
    diskBytes: (fs.blocks - fs.bfree) * fs.bsize,
  };
}

/** What the machine has in all: processors, memory, and the file system that holds the path. */
export async function machineSize(path: string): Promise<Capacity> {
  const memory = /^MemTotal:\s+(\d+) kB/m.exec(await readFile('/proc/meminfo', 'utf8'))?.[1];
  const fs = await statfs(path);
  return {
    vcpus: availableParallelism(),
    memory_mib: Math.floor(Number(memory ?? 0) / KIB_PER_MIB),
    disk_gib: Math.floor((fs.blocks * fs.bsize) / BYTES_PER_GIB),
  };
}
