import { runnerMessage } from '../../shared/protocol/messages.ts';
import { NaiveReceiver } from './naive-receiver.ts';

/** The edge's side of samples, as little as it takes: each batch of a spool once, in order, and then an acknowledgement. */
export class MeteredReceiver {
  readonly told: NaiveReceiver;
  readonly kept: Map<string, number>;
  /** Times of the batches that were taken in, in order. */
  readonly times: number[];

  constructor(told = new NaiveReceiver(), kept = new Map<string, number>(), times: number[] = []) {
    this.told = told;
    this.kept = kept;
    this.times = times;
  }

  copy(): MeteredReceiver {
    return new MeteredReceiver(this.told.copy(), new Map(this.kept), [...this.times]);
  }

  /**
   * Takes a message. @returns what is acknowledged
   * @throws where it is no message, or numbers have gaps
   */
  take(message: unknown): { spool_id: string; seq: number } {
    const metered = runnerMessage.parse(message);
    if (metered.type !== 'metered') throw new Error(`no samples: ${metered.type}`);
    const { spool_id, batches } = metered;
    let last = this.kept.get(spool_id) ?? 0;
    for (const { seq, at_ms, samples } of batches) {
      if (seq <= last) continue;
      if (seq !== last + 1) throw new Error(`batch ${seq} follows ${last}`);
      this.told.take(samples);
      this.times.push(at_ms);
      last = seq;
    }
    this.kept.set(spool_id, last);
    return { spool_id, seq: last };
  }
}
