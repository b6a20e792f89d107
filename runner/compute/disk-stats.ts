import type { LiveGuest } from './live-guest.ts';

/** What a guest has asked of each of its disks since it was started, in QEMU's words: `rd_bytes`, `wr_operations`, ... @throws QmpError */
export async function diskStats(live: LiveGuest, timeout_ms?: number): Promise<Record<string, number>[]> {
  type BlockStats = { qdev?: string; stats: Record<string, number> };
  const blocks = await live.execute<BlockStats[]>('query-blockstats', {}, timeout_ms);
  // The rest are files that disks stand on.
  return blocks.filter((one) => one.qdev !== undefined).map(({ stats }) => stats);
}
