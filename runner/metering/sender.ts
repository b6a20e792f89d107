import type { Timers } from '../../shared/clock.ts';
import { SAMPLE_BATCHES_PER_MESSAGE_MAX } from '../../shared/limits.ts';
import type { MessageOf, RunnerMessage } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import type { Spool } from './spool/spool.ts';

/** Wait for an acknowledgement before the same is said again in one session; it doubles each time. */
const ACK_WAIT_MS = 60_000;
const ACK_WAIT_MAX_MS = 3_600_000;

/**
 * Sends what the spool holds, oldest first and one message at a time, so that days of samples flood neither link nor edge. In
 * a session the first message has one batch: an edge that does not know samples is not sent more until it does.
 */
export class Sender {
  readonly #o: { spool: Spool; time: Timers; log: Log; send(message: RunnerMessage): number | null };
  #isOpen = false;
  /** The edge has acknowledged samples in this session. */
  #isUnderstood = false;
  /** The last number of the message under way. */
  #awaited: number | null = null;
  #waits = 0;
  #cancel = () => {};
  #isFailing = false;

  constructor(options: { spool: Spool; time: Timers; log: Log; send(message: RunnerMessage): number | null }) {
    this.#o = options;
  }

  /** A session is open: what was not acknowledged goes out again. */
  ready(): void {
    this.#isOpen = true;
    this.#isUnderstood = false;
    this.#waits = 0;
    this.#awaited = null;
    this.pump();
  }

  down(): void {
    this.#isOpen = false;
    this.#cancel();
    this.#awaited = null;
  }

  /** Sends the next message, unless one is under way. */
  pump(): void {
    if (!this.#isOpen || this.#awaited !== null) return;
    const { spool, send } = this.#o;
    try {
      const batches = spool.next(this.#isUnderstood ? SAMPLE_BATCHES_PER_MESSAGE_MAX : 1);
      const last = batches.at(-1);
      if (!last || send({ type: 'metered', spool_id: spool.id, batches }) === null) return;
      this.#awaited = last.seq;
      this.#await();
      this.#isFailing = false;
    } catch (error) {
      this.#failed(error);
    }
  }

  #await(): void {
    this.#cancel();
    const waitMs = Math.min(ACK_WAIT_MS * 2 ** this.#waits, ACK_WAIT_MAX_MS);
    this.#cancel = this.#o.time.after(waitMs, () => {
      this.#waits += 1;
      this.#awaited = null;
      this.pump();
    });
  }

  /** The edge keeps samples. */
  acked({ spool_id, seq }: MessageOf<'metered-ack'>): void {
    if (spool_id !== this.#o.spool.id) return;
    try {
      this.#o.spool.acked(spool_id, seq);
    } catch (error) {
      this.#failed(error);
    }
    this.#isUnderstood = true;
    if (this.#awaited === null || seq < this.#awaited) return;
    this.#cancel();
    this.#waits = 0;
    this.#awaited = null;
    this.pump();
  }

  #failed(error: unknown): void {
    if (!this.#isFailing) this.#o.log.error('samples-not-sent', { error: errorText(error), next: 'tried again' });
    this.#isFailing = true;
  }
}
