import type { Sample } from '../../../shared/protocol/messages.ts';
import { mergeSamples } from '../merge-samples.ts';

const keyOf = ({ type, id, epoch }: Sample) => JSON.stringify([type, id, epoch]);

/**
 * What of samples that go must be told with the next ones: the last word on each meter that those do not speak of, as of a
 * counter that ended in between. Of counters nothing else is needed, for they only rise.
 */
export function carrySamples(gone: readonly Sample[], next: readonly (readonly Sample[])[]): Sample[] {
  const told = new Map(mergeSamples(...next).map((sample) => [keyOf(sample), sample.values]));
  return gone.flatMap((sample) => {
    const known = told.get(keyOf(sample)) ?? {};
    const left = Object.entries(sample.values).filter(([meter]) => known[meter] === undefined);
    return left.length === 0 ? [] : [{ ...sample, values: Object.fromEntries(left) }];
  });
}
