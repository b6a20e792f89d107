import type { Sample } from '../../../shared/protocol/messages.ts';
import { mergeSamples } from '../merge-samples.ts';
import { carrySamples } from './carry-samples.ts';
import { BATCH_LENGTH_MAX, SPOOL_THINNED_TO } from './limits.ts';
import { type Merge, planExpiry, planThinning, THINNING_MS } from './plan-thinning.ts';
import { splitSamples } from './split-samples.ts';
import type { SpoolRows } from './spool-rows.ts';

/** Rows that one transaction looks at, and that go at one time: the runner does nothing else meanwhile. */
const CHUNK_ROWS = 120;

/** Writes in a transaction of its own. */
type Write = (step: (rows: SpoolRows) => void) => void;

/**
 * Lets go of samples, the oldest first and no more than must be, until the spool is small enough or there are but two. A
 * spool that is far too large takes several calls.
 */
export function thin(rows: SpoolRows, bytesMax: number, write: Write): void {
  let left = CHUNK_ROWS;
  for (const everyMs of THINNING_MS) {
    let fromN: number | null = 0;
    while (fromN !== null) {
      if (left <= 0 || rows.totals().bytes <= bytesMax * SPOOL_THINNED_TO) return;
      const chunk = rows.waiting(fromN, CHUNK_ROWS);
      const merges = planThinning(chunk, everyMs);
      if (merges.length > 0) write((inside) => doMerges(inside, merges));
      left -= merges.reduce((sum, { gone }) => sum + gone.length, 0);
      const last: number = chunk.at(-1)?.n ?? fromN;
      fromN = chunk.length < CHUNK_ROWS || last === fromN ? null : last;
    }
  }
}

/** Ends the oldest of what is too old in the first moment that is not. */
export function expire(rows: SpoolRows, beforeMs: number): void {
  doMerges(rows, planExpiry(rows.waiting(0, CHUNK_ROWS), beforeMs));
}

function doMerges(rows: SpoolRows, merges: readonly Merge[]): void {
  for (const { gone, into } of merges) {
    const [first] = into;
    if (first === undefined) continue;
    const next = into.map((n) => rows.samplesOf(n));
    // One at a time: there may be thousands of the same resources.
    const last = gone.reduce<Sample[]>((known, n) => mergeSamples(known, rows.samplesOf(n)), []);
    const carried = carrySamples(last, next);
    const merged = [...carried, ...(next[0] ?? [])];
    // More ended than one batch can tell: these stay as they are.
    if (splitSamples(merged, 2 * BATCH_LENGTH_MAX).length > 1) continue;
    if (carried.length > 0) rows.replace(first, merged);
    for (const n of gone) rows.remove(n);
  }
}
