import { z } from 'zod';
import type { Timers } from '../../shared/clock.ts';
import { MESSAGE_BYTES_MAX, POLL_HOLD_S } from '../../shared/limits.ts';
import { errorText } from '../log.ts';
import {
  type Connection,
  parseRetryAfter,
  type Transport,
  type TransportEnd,
  type TransportEvents,
} from './transport.ts';

/**
 * Requests at one time: the edge holds one, another carries frames past it. Two that carry frames could overtake each
 * other, so the next one leaves when the edge has taken the last: it answered it, or acknowledged its frames elsewhere.
 */
const POSTS_MAX = 3;
/** Frames in one request, and their length; a larger one travels alone. */
const POST_FRAMES_MAX = 100;
const POST_FRAMES_LENGTH_MAX = 400_000;
/** Beyond what the edge holds, for a slow way there and back. */
const POST_MARGIN_MS = 15_000;
/** Answers may overtake each other; one that is missing for so long is lost. */
const REORDER_WAIT_MS = 5_000;

const pollAnswer = z.object({ session: z.string().max(64), frames: z.array(z.string().max(MESSAGE_BYTES_MAX)) });

interface PollOptions {
  edgeUrl: string;
  runnerId: string;
  time: Timers;
  fetch: typeof fetch;
}

/** The link as HTTPS requests that the edge holds, for networks that let no WebSocket through. */
export function pollTransport(options: PollOptions): Transport {
  const url = `${options.edgeUrl}/aerostat/v1/runners/${encodeURIComponent(options.runnerId)}/poll`;
  return { name: 'poll', open: (events) => new PollConnection(url, options, events) };
}

class PollConnection implements Connection {
  readonly #url: string;
  readonly #options: PollOptions;
  readonly #events: TransportEvents;
  readonly #abort = new AbortController();
  readonly #order: FrameOrder;
  #session: string | null = null;
  readonly #outbox: string[] = [];
  #posts = 0;
  /** The last frame on its way, while the request that carries it is neither answered nor acknowledged. */
  #carriedSeq: number | null = null;
  #over = false;

  constructor(url: string, options: PollOptions, events: TransportEvents) {
    this.#url = url;
    this.#options = options;
    this.#events = events;
    this.#order = new FrameOrder(
      options.time,
      (text) => !this.#over && events.frame(text),
      () => this.#end({ reason: 'an answer of the edge was lost' }),
    );
    void this.#post();
  }

  send(text: string): void {
    if (this.#over) return;
    this.#outbox.push(text);
    // Frames of one turn travel together; before the first answer there is no session to send in.
    if (this.#outbox.length === 1) queueMicrotask(() => this.#flush());
  }

  close(): void {
    this.#over = true;
    this.#order.stop();
    this.#abort.abort();
  }

  #flush(): void {
    if (this.#over || this.#session === null) return;
    const more = this.#outbox.length > 0 && this.#carriedSeq === null;
    if (more ? this.#posts < POSTS_MAX : this.#posts === 0) void this.#post();
  }

  #taken(text: string): void {
    const ack = numberIn(text, 'ack');
    if (this.#carriedSeq !== null && ack !== null && ack >= this.#carriedSeq) this.#carriedSeq = null;
    this.#order.take(text);
  }

  #takeFrames(): string[] {
    let length = 0;
    let count = 0;
    for (const text of this.#outbox.slice(0, POST_FRAMES_MAX)) {
      length += text.length;
      if (count > 0 && length > POST_FRAMES_LENGTH_MAX) break;
      count += 1;
    }
    return this.#outbox.splice(0, count);
  }

  #end(end: TransportEnd): void {
    if (this.#over) return;
    this.close();
    this.#events.closed(end);
  }

  async #post(): Promise<void> {
    const frames = this.#carriedSeq === null ? this.#takeFrames() : [];
    const carriedSeq = numberIn(frames.at(-1) ?? '', 'seq');
    if (carriedSeq !== null) this.#carriedSeq = carriedSeq;
    this.#posts += 1;
    const { time } = this.#options;
    const timeout = new AbortController();
    const calm = time.after(POLL_HOLD_S * 1000 + POST_MARGIN_MS, () => timeout.abort());
    try {
      const response = await this.#options.fetch(this.#url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ session: this.#session, frames }),
        signal: AbortSignal.any([timeout.signal, this.#abort.signal]),
      });
      if (response.status !== 200) {
        const retryAfterMs = parseRetryAfter(response.headers.get('retry-after'), time.nowMs());
        const reason =
          response.status === 410 ? 'the edge lost the session' : `the edge answered ${response.status} to a poll`;
        await response.body?.cancel();
        return this.#end({ reason, status: response.status, ...(retryAfterMs ? { retryAfterMs } : {}) });
      }
      const answer = pollAnswer.parse(await response.json());
      this.#session = answer.session;
      this.#posts -= 1;
      if (carriedSeq !== null && this.#carriedSeq === carriedSeq) this.#carriedSeq = null;
      for (const text of answer.frames) this.#taken(text);
      this.#flush();
    } catch (error) {
      this.#end({ reason: timeout.signal.aborted ? 'the edge did not answer a poll in time' : errorText(error) });
    } finally {
      calm();
    }
  }
}

/** Puts frames of several answers back into the order in which the edge numbered them. */
class FrameOrder {
  readonly #time: Timers;
  readonly #deliver: (text: string) => void;
  readonly #lost: () => void;
  readonly #waiting = new Map<number, string>();
  #next: number | null = null;
  #calm: (() => void) | null = null;

  constructor(time: Timers, deliver: (text: string) => void, lost: () => void) {
    this.#time = time;
    this.#deliver = deliver;
    this.#lost = lost;
  }

  take(text: string): void {
    const seq = numberIn(text, 'seq');
    if (seq === null || this.#next === null || seq <= this.#next) {
      if (seq !== null && (this.#next === null || seq === this.#next)) this.#next = seq + 1;
      this.#deliver(text);
    } else this.#waiting.set(seq, text);
    this.#drain();
  }

  #drain(): void {
    for (;;) {
      const text = this.#next === null ? undefined : this.#waiting.get(this.#next);
      if (text === undefined || this.#next === null) break;
      this.#waiting.delete(this.#next);
      this.#next += 1;
      this.#deliver(text);
    }
    if (this.#waiting.size === 0) this.stop();
    else this.#calm ??= this.#time.after(REORDER_WAIT_MS, this.#lost);
  }

  stop(): void {
    this.#calm?.();
    this.#calm = null;
  }
}

/** A number of a frame's envelope; null where the frame is no envelope. */
function numberIn(text: string, member: 'seq' | 'ack'): number | null {
  try {
    const value = (JSON.parse(text) as { seq?: unknown; ack?: unknown } | null)?.[member];
    return typeof value === 'number' ? value : null;
  } catch {
    return null;
  }
}
