import type { Sample } from '../../shared/protocol/messages.ts';
import type { Collector } from './collector.ts';
import { mergeSamples } from './merge-samples.ts';

/** Resources whose last readings wait for the next sample; more end within one only on machines that are taken down. */
const HELD_MAX = 20_000;

/**
 * Holds what was read of a counter just before its end, until the next sample takes it along. What ends without notice, as a
 * guest whose process is killed, has no such reading: its last sample speaks for it.
 */
export class LastReadings implements Collector {
  readonly name = 'last-readings';
  #held: Sample[] = [];
  #taken: Sample[] = [];

  /** Takes a reading along. */
  hold(samples: readonly Sample[]): void {
    this.#held = mergeSamples(this.#held, samples).slice(-HELD_MAX);
  }

  async collect(): Promise<Sample[]> {
    // What was taken and not kept is said again.
    this.#taken = mergeSamples(this.#taken, this.#held);
    this.#held = [];
    return this.#taken;
  }

  async kept(): Promise<void> {
    this.#taken = [];
  }
}
