import type { Timers } from '../../shared/clock.ts';
import { HELLO_TIMEOUT_S, RECONNECT_HEALTHY_MS } from '../../shared/limits.ts';
import type { EdgeMessage, MessageOf, RunnerMessage, RunnerMessageOf } from '../../shared/protocol/messages.ts';
import { errorText, type Log } from '../log.ts';
import { Backoff } from './backoff.ts';
import { Session } from './session.ts';
import type { Connection, Transport, TransportEnd } from './transport.ts';

/** WebSockets that failed before their first frame, in a row, after which the long poll is tried. */
export const WEBSOCKET_FAILURES_MAX = 3;
/** How often a link on the long poll tries a WebSocket again. */
export const WEBSOCKET_RETRY_MS = 10 * 60_000;
/** A connection without a message for so many heartbeats is dead, whatever TCP says. */
const SILENT_HEARTBEATS_MAX = 2.5;
/** Wait after a refusal that asks not to be tried again: an operator may yet change his mind. */
export const REFUSED_WAIT_MS = 10 * 60_000;

export type LinkState = 'waiting' | 'connecting' | 'ready' | 'stopped';
export interface LinkStatus {
  state: LinkState;
  transport: Transport['name'];
  /** When the state began. */
  sinceMs: number;
  epoch: number;
  /** Why the last connection ended. */
  lastEnd: string | null;
}

export interface LinkHandlers {
  /** The signed answer to a challenge. */
  hello(challenge: MessageOf<'challenge'>, attempts: number): Promise<RunnerMessageOf<'hello'>>;
  /** The session is open: send what the edge has not stored yet. */
  ready(welcome: MessageOf<'welcome'>): void;
  message(message: EdgeMessage): void;
  /** The edge has taken everything up to this frame. */
  acked(seq: number): void;
  /** The session is over; what was not acknowledged must be sent again. */
  down(): void;
  /** The edge refuses this runner. @returns whether it is worth another try at once, with another key */
  rejected(reject: MessageOf<'reject'>): boolean;
  heartbeat(): RunnerMessageOf<'heartbeat'>;
  status(status: LinkStatus): void;
}

export interface LinkOptions {
  websocket: Transport;
  poll: Transport;
  time: Timers;
  /** Uniform in [0, 1). */
  random: () => number;
  log: Log;
  handlers: LinkHandlers;
}

/**
 * The runner's side of the link: connects, proves itself, keeps the session alive and comes back when it ends. What is
 * said in a session is its handlers' business.
 */
export class Link {
  readonly #o: LinkOptions;
  readonly #backoff: Backoff;
  #state: LinkState = 'waiting';
  #sinceMs: number;
  #transport: Transport;
  #connection: Connection | null = null;
  #session = new Session();
  #websocketFailures = 0;
  #heard = false;
  /** The session has lasted: what ends it is not a failure of the way there. */
  #healthy = false;
  #lastEnd: string | null = null;
  /** What calls off the timers of the connection, and the one that waits for the next. */
  #timers = new Map<'watch' | 'beat' | 'healthy' | 'retry' | 'probe' | 'leave', () => void>();
  #probe: Connection | null = null;

  constructor(options: LinkOptions) {
    this.#o = options;
    this.#backoff = new Backoff(options.random);
    this.#transport = options.websocket;
    this.#sinceMs = options.time.nowMs();
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    const connection = this.#connection;
    this.#over();
    connection?.close();
    this.#become('stopped');
  }

  status(): LinkStatus {
    return {
      state: this.#state,
      transport: this.#transport.name,
      sinceMs: this.#sinceMs,
      epoch: this.#session.epoch,
      lastEnd: this.#lastEnd,
    };
  }

  /** Whether a session is open. */
  get connected(): boolean {
    return this.#state === 'ready';
  }

  /** What the session's signatures are bound to. */
  get nonce(): string {
    return this.#session.nonce;
  }

  /** Sends in an open session. @returns the frame's seq, or null where there is none or the message is too large */
  send(body: RunnerMessage): number | null {
    return this.#state === 'ready' ? this.#transmit(body) : null;
  }

  #transmit(body: RunnerMessage): number | null {
    try {
      const { text, seq } = this.#session.encode(body, this.#o.time.nowMs());
      this.#connection?.send(text);
      return seq;
    } catch (error) {
      this.#o.log.error('message-not-sent', { type: body.type, error: errorText(error) });
      return null;
    }
  }

  #become(state: LinkState): void {
    this.#state = state;
    this.#sinceMs = this.#o.time.nowMs();
    this.#o.handlers.status(this.status());
  }

  #timer(name: 'watch' | 'beat' | 'healthy' | 'retry' | 'probe' | 'leave', delayMs: number, run: () => void): void {
    this.#timers.get(name)?.();
    this.#timers.set(name, this.#o.time.after(delayMs, run));
  }

  #connect(): void {
    this.#session = new Session();
    this.#heard = false;
    this.#healthy = false;
    this.#become('connecting');
    this.#timer('watch', HELLO_TIMEOUT_S * 1000, () => this.#drop('the edge did not welcome this runner in time'));
    this.#open(this.#transport);
  }

  #open(transport: Transport): void {
    const connection: Connection = transport.open({
      frame: (text) => {
        if (connection === this.#connection) this.#frame(text);
      },
      closed: (end) => {
        if (connection === this.#connection) this.#ended(end);
      },
    });
    this.#connection = connection;
  }

  #drop(reason: string): void {
    this.#connection?.close();
    this.#ended({ reason });
  }

  /** Clears all that belongs to a connection. */
  #over(): void {
    const wasReady = this.#state === 'ready';
    this.#connection = null;
    this.#probe?.close();
    this.#probe = null;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
    if (wasReady) this.#o.handlers.down();
  }

  #ended(end: TransportEnd, waitMs?: number | undefined): void {
    if (this.#state === 'stopped') return;
    const from = this.#transport.name;
    this.#over();
    this.#lastEnd = end.reason;
    this.#chooseTransport();
    const delayMs = waitMs ?? this.#backoff.next(end.retryAfterMs);
    this.#o.log.warn('link-down', { transport: from, reason: end.reason, status: end.status, retryInMs: delayMs });
    this.#become('waiting');
    this.#timer('retry', delayMs, () => this.#connect());
  }

  /** Without a frame over the one way, repeatedly, the other is tried in turn. */
  #chooseTransport(): void {
    const { websocket, poll } = this.#o;
    if (this.#transport === websocket) {
      this.#websocketFailures = this.#heard ? 0 : this.#websocketFailures + 1;
      if (this.#websocketFailures >= WEBSOCKET_FAILURES_MAX) this.#transport = poll;
    } else if (!this.#heard) this.#transport = websocket;
  }

  #frame(text: string): void {
    this.#heard = true;
    const received = this.#session.receive(text);
    if (received.what === 'broken') {
      this.#drop(received.why);
      return;
    }
    if (this.#state === 'ready') this.#watch();
    if (received.what === 'ignored') {
      if (!received.quiet) this.#o.log.warn('frame-ignored', { why: received.why });
      if (received.ack !== null) this.#o.handlers.acked(received.ack);
      return;
    }
    if (this.#state === 'ready') this.#o.handlers.acked(received.ack);
    this.#message(received.body);
  }

  #message(message: EdgeMessage): void {
    switch (message.type) {
      case 'challenge':
        if (this.#state === 'connecting' && this.#session.id === '') void this.#answer(message);
        return;
      case 'welcome':
        if (this.#state === 'connecting') this.#welcomed(message);
        return;
      case 'reject':
        this.#rejected(message);
        return;
      case 'reconnect':
        this.#o.log.info('asked-to-reconnect', { reason: message.reason, withinS: message.within_s });
        this.#timer('leave', this.#o.random() * message.within_s * 1000, () => this.#leave(message.reason));
        return;
      default:
        if (this.#state === 'ready') this.#o.handlers.message(message);
    }
  }

  async #answer(challenge: MessageOf<'challenge'>): Promise<void> {
    const session = this.#session;
    session.challenged(challenge);
    try {
      const hello = await this.#o.handlers.hello(challenge, this.#backoff.attempts);
      if (session === this.#session && this.#state === 'connecting') this.#transmit(hello);
    } catch (error) {
      if (session === this.#session) this.#drop(`no hello could be made: ${errorText(error)}`);
    }
  }

  #welcomed(welcome: MessageOf<'welcome'>): void {
    this.#session.welcomed(welcome);
    this.#lastEnd = null;
    this.#become('ready');
    this.#watch();
    const beatMs = this.#session.heartbeatS * 1000;
    // The first beat comes at a random moment, so that runners that came back together do not beat together.
    this.#timer('beat', this.#o.random() * beatMs, () => this.#beat(beatMs));
    this.#timer('healthy', RECONNECT_HEALTHY_MS, () => {
      this.#healthy = true;
      this.#backoff.reset();
    });
    if (this.#transport === this.#o.poll) this.#timer('probe', WEBSOCKET_RETRY_MS, () => this.#probeWebsocket());
    this.#o.log.info('link-up', {
      transport: this.#transport.name,
      epoch: welcome.epoch,
      generation: welcome.generation,
    });
    this.#o.handlers.ready(welcome);
  }

  #beat(everyMs: number): void {
    this.send(this.#o.handlers.heartbeat());
    this.#timer('beat', everyMs, () => this.#beat(everyMs));
  }

  #watch(): void {
    const silentMs = SILENT_HEARTBEATS_MAX * this.#session.heartbeatS * 1000;
    this.#timer('watch', silentMs, () => this.#drop(`nothing heard of the edge for ${silentMs / 1000} s`));
  }

  #rejected(reject: MessageOf<'reject'>): void {
    const { code, message, retry } = reject;
    const again = this.#o.handlers.rejected(reject) || retry;
    this.#connection?.close();
    const reason = `refused by the edge: ${message} (${code})`;
    const retryAfterMs = (reject.retry_after_s ?? 0) * 1000;
    if (again) {
      this.#ended({ reason, retryAfterMs });
      return;
    }
    const next = 'guests keep running; tried again in ten minutes or more, or at once after a restart';
    this.#o.log.error('link-refused', { code, message, next });
    this.#ended({ reason }, Math.max(retryAfterMs, REFUSED_WAIT_MS * (1 + this.#o.random())));
  }

  /** Leaves as asked: the next connection follows at once, unless it is all the edge ever asks. */
  #leave(reason: string): void {
    this.#connection?.close();
    this.#ended({ reason: `the edge asked to reconnect: ${reason}` }, this.#healthy ? 0 : undefined);
  }

  /** On the long poll: opens a WebSocket beside it, and goes over to it with its first frame. */
  #probeWebsocket(): void {
    const probe: Connection = this.#o.websocket.open({
      frame: (text) => {
        if (probe === this.#connection) return this.#frame(text);
        if (probe !== this.#probe) return;
        this.#probe = null;
        this.#connection?.close();
        this.#over();
        this.#transport = this.#o.websocket;
        this.#websocketFailures = 0;
        this.#session = new Session();
        this.#become('connecting');
        this.#timer('watch', HELLO_TIMEOUT_S * 1000, () => this.#drop('the edge did not welcome this runner in time'));
        this.#connection = probe;
        this.#frame(text);
      },
      closed: (end) => {
        if (probe === this.#connection) return this.#ended(end);
        if (probe !== this.#probe) return;
        this.#probe = null;
        this.#timer('probe', WEBSOCKET_RETRY_MS, () => this.#probeWebsocket());
      },
    });
    this.#probe = probe;
  }
}
