import { randomBytes } from 'node:crypto';
import { Lru } from '../../shared/lru.ts';
import type { Connection } from './connection.ts';
import { RequestError } from './errors.ts';
import { ENDED_STREAMS_REMEMBERED_MAX, type Limits } from './limits.ts';

const ID_BYTES = 15;
const NONCE_BYTES = 18;

/** A connection that is a stream's alone while its transaction is open. */
export interface Hold {
  connection: Connection;
  /** To be called after work was done on it. */
  worked(): void;
  release(): void;
}

/** A stream of a client: the texts it stored, and the connection it holds, if any. */
export class Stream {
  /** Given when it is kept for the first time. */
  id = '';
  readonly sqls = new Map<number, string>();
  hold: Hold | undefined;
  closed = false;
  nonce = '';
  transactionTimer: NodeJS.Timeout | undefined;
  idleTimer: NodeJS.Timeout | undefined;
}

/** The streams that wait for their client's next request, each found by the baton it gave out last. */
export class StreamRegistry {
  readonly #waiting = new Map<string, Stream>();
  readonly #ended = new Lru<string, RequestError>(ENDED_STREAMS_REMEMBERED_MAX);
  readonly #limits: Limits;
  #kept = 0;
  #closing = false;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  /** A new stream; `kept` says that it is to outlive this request, which only so many may. */
  open(kept: boolean): Stream {
    if (kept && this.#kept >= this.#limits.openStreamsMax) {
      throw new RequestError(429, 'TOO_MANY_STREAMS', `At most ${this.#limits.openStreamsMax} streams may be open`);
    }
    const stream = new Stream();
    if (kept) this.#kept += 1;
    else stream.closed = true;
    return stream;
  }

  /** The stream of a baton, which is used up by this; throws if it has ended, saying why. */
  take(baton: string): Stream {
    const [id = '', nonce] = baton.split('.');
    const stream = this.#waiting.get(id);
    if (stream === undefined) {
      throw this.#ended.get(id) ?? new RequestError(400, 'STREAM_EXPIRED', 'The stream has expired, or never was');
    }
    if (stream.nonce !== nonce) throw new RequestError(400, 'BATON_INVALID', 'The baton is not the last one given');
    clearTimeout(stream.idleTimer);
    this.#waiting.delete(id);
    return stream;
  }

  /** Keep a stream for its client's next request, which must show the baton returned here. */
  keep(stream: Stream): string {
    if (stream.id === '') stream.id = randomBytes(ID_BYTES).toString('base64url');
    stream.nonce = randomBytes(NONCE_BYTES).toString('base64url');
    this.#waiting.set(stream.id, stream);
    const { streamIdleMsMax } = this.#limits;
    stream.idleTimer = setTimeout(() => {
      const message = `The stream has expired after ${streamIdleMsMax} ms without a request`;
      this.end(stream, new RequestError(400, 'STREAM_EXPIRED', message));
    }, streamIdleMsMax);
    return `${stream.id}.${stream.nonce}`;
  }

  /** Start the clock of the stream's transaction, if it does not run yet. */
  limitTransaction(stream: Stream): void {
    const { transactionMsMax } = this.#limits;
    stream.transactionTimer ??= setTimeout(() => {
      const message = `Transaction timed out: it was open for ${transactionMsMax} ms and has been rolled back`;
      this.end(stream, new RequestError(400, 'TRANSACTION_TIMEOUT', message));
    }, transactionMsMax);
  }

  /** Let go of the stream's connection; a transaction open on it is rolled back. */
  release(stream: Stream): void {
    clearTimeout(stream.transactionTimer);
    stream.transactionTimer = undefined;
    const { hold } = stream;
    stream.hold = undefined;
    hold?.release();
  }

  /** End a stream for good; `reason` is what its baton is answered with from now on. */
  end(stream: Stream, reason?: RequestError): void {
    clearTimeout(stream.idleTimer);
    if (!stream.closed) this.#kept -= 1;
    stream.closed = true;
    this.#waiting.delete(stream.id);
    if (reason !== undefined) this.#ended.set(stream.id, reason);
    this.release(stream);
  }

  /** End all streams that wait for their client, and keep no more of them. */
  endAll(reason: RequestError): void {
    this.#closing = true;
    for (const stream of [...this.#waiting.values()]) this.end(stream, reason);
  }

  get closing(): boolean {
    return this.#closing;
  }
}
