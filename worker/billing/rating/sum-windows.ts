import type { WindowSum } from './rateable.ts';

interface Sums {
  /** When windows begin, the earliest first. */
  starts: number[];
  /** What the windows before each come to, and at last all of them. */
  before: bigint[];
}

/** A month is summed at each of its moments: once added up, each sum is a difference of two. */
const summed = new WeakMap<readonly WindowSum[], Sums>();

/** What the windows that begin in [fromMs, toMs) come to, exactly. @param windows - are not changed afterwards */
export function sumBetween(windows: readonly WindowSum[], fromMs: number, toMs: number): bigint {
  if (toMs <= fromMs) return 0n;
  const known = summed.get(windows) ?? sumsOf(windows);
  summed.set(windows, known);
  return (known.before[indexOf(known.starts, toMs)] ?? 0n) - (known.before[indexOf(known.starts, fromMs)] ?? 0n);
}

function sumsOf(windows: readonly WindowSum[]): Sums {
  const sorted = [...windows].sort((a, b) => a.startMs - b.startMs);
  let sum = 0n;
  const before = [sum];
  for (const { value } of sorted) {
    sum += BigInt(value);
    before.push(sum);
  }
  return { starts: sorted.map(({ startMs }) => startMs), before };
}

/** How many begin before a moment. */
function indexOf(starts: readonly number[], atMs: number): number {
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((starts[middle] ?? 0) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
