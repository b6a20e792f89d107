import type { Timers } from '../../shared/clock.ts';
import type { Sample } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import type { Collector } from './collector.ts';
import { inLaps } from './laps.ts';
import { mergeSamples } from './merge-samples.ts';

/** What one collector may take; the next sample is due after twice as long. */
export const COLLECT_TIMEOUT_MS = 5_000;

/** Runs collectors side by side. One that fails, or hangs, costs its own meters and says so once, until it works again. */
export class CollectAll {
  readonly #collectors: readonly Collector[];
  readonly #time: Timers;
  readonly #log: Log;
  /** Those whose last call has not ended: they are not called again before it does. */
  readonly #busy = new Set<Collector>();
  readonly #failing = new Set<Collector>();
  /** Those whose reading is part of the last sample. */
  #read: Collector[] = [];

  constructor(o: { collectors: readonly Collector[]; time: Timers; log: Log }) {
    this.#collectors = o.collectors;
    this.#time = o.time;
    this.#log = o.log;
  }

  /** Reads everything that can be read in time, in the order of the collectors. */
  async collect(): Promise<Sample[]> {
    const read: Collector[] = [];
    const lists = await Promise.all(
      this.#collectors.map(async (collector) => {
        const samples = await this.#one(collector);
        if (samples) read.push(collector);
        return samples ?? [];
      }),
    );
    this.#read = read;
    return inLaps(mergeSamples(...lists));
  }

  /** The last sample is on the disk. */
  async kept(): Promise<void> {
    for (const collector of this.#read) {
      await collector.kept?.().catch((error: unknown) => this.#fails(collector, errorText(error)));
    }
  }

  async #one(collector: Collector): Promise<Sample[] | null> {
    if (this.#busy.has(collector)) return null;
    this.#busy.add(collector);
    let cancel = () => {};
    const late = new Promise<string>((resolve) => {
      cancel = this.#time.after(COLLECT_TIMEOUT_MS, () => resolve(`no answer within ${COLLECT_TIMEOUT_MS} ms`));
    });
    const reading = collected(collector).finally(() => this.#busy.delete(collector));
    const result = await Promise.race([reading.catch(errorText), late]);
    cancel();
    if (typeof result === 'string') {
      this.#fails(collector, result);
      return null;
    }
    if (this.#failing.delete(collector)) this.#log.info('collector-works-again', { collector: collector.name });
    return result;
  }

  #fails(collector: Collector, error: string): void {
    if (this.#failing.has(collector)) return;
    this.#failing.add(collector);
    this.#log.error('collector-failed', { collector: collector.name, error, effect: 'its meters are not sampled' });
  }
}

/** Also what is thrown before there is a promise. */
async function collected(collector: Collector): Promise<Sample[]> {
  return collector.collect();
}
