import { METERS, type Meter } from '../../shared/meters.ts';
import type { Sample } from '../../shared/protocol/messages.ts';

/** Adds up counters of samples as simply as can be: the difference to the last one of an epoch, and from zero where there is none. */
export class NaiveReceiver {
  readonly #last = new Map<string, number>();
  readonly #sums = new Map<string, number>();

  copy(): NaiveReceiver {
    const copy = new NaiveReceiver();
    for (const [key, value] of this.#last) copy.#last.set(key, value);
    for (const [key, value] of this.#sums) copy.#sums.set(key, value);
    return copy;
  }

  take(samples: readonly Sample[]): void {
    for (const { type, id, epoch, values } of samples) {
      for (const [meter, value] of Object.entries(values)) {
        if (METERS[meter as Meter]?.type !== 'counter') continue;
        const key = JSON.stringify([type, id, epoch, meter]);
        const more = value - (this.#last.get(key) ?? 0);
        if (more < 0) throw new Error(`${key} fell by ${-more} within its epoch`);
        this.#last.set(key, value);
        const whole = `${id} ${meter}`;
        this.#sums.set(whole, (this.#sums.get(whole) ?? 0) + more);
      }
    }
  }

  /** What was added up of a meter in all epochs. */
  sum(id: string, meter: string): number {
    return this.#sums.get(`${id} ${meter}`) ?? 0;
  }

  /** The epochs that a meter of a resource was seen in. */
  epochs(id: string, meter: string): number {
    return [...this.#last.keys()].filter((key) => {
      const parts = JSON.parse(key) as string[];
      return parts[1] === id && parts[3] === meter;
    }).length;
  }
}
