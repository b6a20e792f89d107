import type { Sample } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';

/**
 * Reads many resources side by side. One that cannot be read costs its own sample and says so once, until it can be again.
 * @param read - null where there is nothing to read any more
 */
export function ofEach<T>(
  collector: string,
  log: Log,
  read: (item: T) => Promise<Sample | null>,
): (items: ReadonlyMap<string, T>) => Promise<Sample[]> {
  const failing = new Set<string>();
  return async (items) => {
    for (const id of failing) if (!items.has(id)) failing.delete(id);
    const samples = await Promise.all(
      [...items].map(async ([id, item]) => {
        try {
          const sample = await read(item);
          failing.delete(id);
          return sample;
        } catch (error) {
          if (!failing.has(id)) log.warn('meters-not-read', { collector, id, error: errorText(error) });
          failing.add(id);
          return null;
        }
      }),
    );
    return samples.filter((sample) => sample !== null);
  };
}
