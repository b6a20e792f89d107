import type { Timers } from '../../shared/clock.ts';
import { SAMPLE_EVERY_MS } from '../../shared/meters.ts';
import type { Sample } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import type { EdgeTime } from './edge-time.ts';

/** A sample that begins this soon after its boundary is of the boundary; a later one says when it was. */
const ON_TIME_MS = 1_000;
/** Timers may be early. */
const EARLY_MS = 20;
/** When the edge's time goes back so far it is waited for; beyond it the new time counts. */
const BACK_WAIT_MS = 60_000;

export interface SamplerOptions {
  edgeTime: EdgeTime;
  time: Timers;
  log: Log;
  collect(): Promise<Sample[]>;
  /** Keeps what was read. */
  take(atMs: number, samples: Sample[]): Promise<void>;
}

/**
 * Takes a sample at each boundary of the edge's time, every one at most once. It asks the time anew after each, so that
 * neither a slow sample nor a clock that is put right makes it drift.
 */
export class Sampler {
  readonly #o: SamplerOptions;
  #lastMs = Number.NEGATIVE_INFINITY;
  #cancel = () => {};
  #running: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: SamplerOptions) {
    this.#o = options;
  }

  start(): void {
    this.#wait();
  }

  /** Resolves when the last sample is over. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancel();
    await this.#running;
  }

  /** The edge's time was corrected: what was said of earlier samples is corrected likewise, where it was a guess. */
  moved(guessByMs: number): void {
    this.#lastMs += guessByMs;
    this.#wait();
  }

  #wait(): void {
    this.#cancel();
    if (this.#stopped) return;
    this.#cancel = this.#o.time.after(this.#dueMs() - this.#o.edgeTime.nowMs(), () => {
      this.#running = this.#running.then(() => this.#round());
    });
  }

  /** The next boundary that was not sampled. */
  #dueMs(): number {
    const nowMs = this.#o.edgeTime.nowMs();
    // Passed while the last one was slow, or by a time that was put forward: late is better than not.
    if (Number.isFinite(this.#lastMs) && boundaryBefore(nowMs) > this.#lastMs) return nowMs;
    const due = Math.ceil(nowMs / SAMPLE_EVERY_MS) * SAMPLE_EVERY_MS;
    // Of a time that went back no boundary is sampled twice.
    if (due > this.#lastMs || this.#lastMs - nowMs > BACK_WAIT_MS) return due;
    return boundaryBefore(this.#lastMs) + SAMPLE_EVERY_MS;
  }

  async #round(): Promise<void> {
    if (this.#stopped) return;
    const nowMs = this.#o.edgeTime.nowMs();
    const boundary = boundaryBefore(nowMs + EARLY_MS);
    const isBack = this.#lastMs - nowMs > BACK_WAIT_MS;
    if (boundary > this.#lastMs || isBack) {
      this.#lastMs = nowMs - boundary <= ON_TIME_MS ? boundary : nowMs;
      try {
        const samples = await this.#o.collect();
        // By now the time may have been corrected.
        await this.#o.take(this.#lastMs, samples);
      } catch (error) {
        this.#o.log.error('sample-failed', { error: errorText(error) });
      }
    }
    this.#wait();
  }
}

const boundaryBefore = (atMs: number) => Math.floor(atMs / SAMPLE_EVERY_MS) * SAMPLE_EVERY_MS;
