import { METERS, type Meter } from '../../shared/meters.ts';
import type { Sample } from '../../shared/protocol/messages.ts';

/**
 * One list of samples from several, older ones first: of a resource's meters in one epoch the later reading counts (of a
 * counter the higher, which is the same), and what only the earlier has stays. Older epochs of a resource come before newer
 * ones, so that who reads in order sees each counter end before the next begins.
 */
export function mergeSamples(...lists: readonly (readonly Sample[])[]): Sample[] {
  const merged = new Map<string, Sample>();
  for (const sample of lists.flat()) {
    const key = JSON.stringify([sample.type, sample.id, sample.epoch]);
    const before = merged.get(key);
    merged.set(key, before ? { ...sample, values: mergeValues(before.values, sample.values) } : sample);
  }
  return [...merged.values()];
}

function mergeValues(before: Sample['values'], after: Sample['values']): Sample['values'] {
  const merged = { ...before, ...after };
  for (const [meter, value] of Object.entries(before)) {
    const later = after[meter];
    if (later !== undefined && METERS[meter as Meter]?.type === 'counter') merged[meter] = Math.max(value, later);
  }
  return merged;
}
