import { readFile, statfs } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import type { Capacity } from '../../shared/protocol/messages.ts';

const KIB_PER_MIB = 1024;
const BYTES_PER_GIB = 1024 ** 3;

/** New at each boot of the machine. */
export async function bootId(): Promise<string> {
  return (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim();
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
