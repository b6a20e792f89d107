import { SAMPLES_PER_BATCH_MAX } from '../../../shared/limits.ts';
import type { Sample } from '../../../shared/protocol/messages.ts';
import { BATCH_LENGTH_MAX } from './limits.ts';

/** Samples of one moment in as few batches as their limits allow; none where there are no samples. */
export function splitSamples(samples: readonly Sample[], lengthMax = BATCH_LENGTH_MAX): Sample[][] {
  const parts: Sample[][] = [];
  let length = Number.POSITIVE_INFINITY;
  for (const sample of samples) {
    const own = JSON.stringify(sample).length + 1;
    if (length + own > lengthMax || (parts.at(-1)?.length ?? 0) >= SAMPLES_PER_BATCH_MAX) {
      parts.push([]);
      length = 0;
    }
    parts.at(-1)?.push(sample);
    length += own;
  }
  return parts;
}
