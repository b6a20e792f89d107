import { HEARTBEAT_S, MESSAGE_BYTES_MAX } from '../../shared/limits.ts';
import { type Envelope, parseEdgeFrame, type Refused } from '../../shared/protocol/envelope.ts';
import type { EdgeMessage, MessageOf, RunnerMessage } from '../../shared/protocol/messages.ts';

/** Frames that are no envelope at all; more of them in one session end it. */
const GARBAGE_MAX = 10;

export type Received =
  | { what: 'message'; body: EdgeMessage; ack: number }
  /** Nothing to do; `ack` where the frame carried one. */
  | { what: 'ignored'; why: string; quiet: boolean; ack: number | null }
  /** The connection cannot be trusted any more. */
  | { what: 'broken'; why: string };

/** The counting of one connection: who it is with, what was sent, what was seen. */
export class Session {
  id = '';
  nonce = '';
  epoch = 0;
  heartbeatS = HEARTBEAT_S;
  #sent = 0;
  /** Highest contiguous seq seen; null before the first frame. */
  #seen: number | null = null;
  #garbage = 0;

  /** The next frame to the edge. @throws RangeError when it is larger than a message may be */
  encode(body: RunnerMessage, nowMs: number): { text: string; seq: number } {
    const seq = this.#sent + 1;
    const envelope: Envelope<RunnerMessage> = {
      v: 1,
      session: this.id,
      epoch: this.epoch,
      seq,
      ack: this.#seen ?? 0,
      ts_ms: nowMs,
      body,
    };
    const text = JSON.stringify(envelope);
    if (text.length > MESSAGE_BYTES_MAX) throw new RangeError(`${body.type} of ${text.length} bytes is too large`);
    this.#sent = seq;
    return { text, seq };
  }

  /** Takes a frame; what is not of this session, or was seen before, is ignored. */
  receive(text: string): Received {
    const parsed = parseEdgeFrame(text);
    const envelope = 'refused' in parsed ? parsed.envelope : parsed;
    if (!envelope) return this.#refuse(parsed as Refused);
    if (this.id !== '' && envelope.session !== this.id)
      return { what: 'ignored', why: 'another session', quiet: false, ack: null };
    if (this.epoch !== 0 && envelope.epoch !== this.epoch)
      return { what: 'ignored', why: 'another epoch', quiet: false, ack: null };
    if (this.#seen !== null && envelope.seq <= this.#seen)
      return { what: 'ignored', why: 'seen before', quiet: true, ack: envelope.ack };
    if (this.#seen !== null && envelope.seq > this.#seen + 1)
      return { what: 'broken', why: `frames ${this.#seen + 1} to ${envelope.seq - 1} were lost` };
    this.#seen = envelope.seq;
    if ('refused' in parsed) return { what: 'ignored', why: parsed.message, quiet: false, ack: envelope.ack };
    return { what: 'message', body: parsed.body, ack: parsed.ack };
  }

  challenged(challenge: MessageOf<'challenge'>): void {
    this.id = challenge.session;
    this.nonce = challenge.nonce;
  }

  welcomed(welcome: MessageOf<'welcome'>): void {
    this.epoch = welcome.epoch;
    this.heartbeatS = Math.max(1, welcome.heartbeat_s);
  }

  #refuse(refused: Refused): Received {
    this.#garbage += 1;
    if (this.#garbage > GARBAGE_MAX)
      return { what: 'broken', why: `too many frames that are no message: ${refused.message}` };
    return { what: 'ignored', why: refused.message, quiet: false, ack: null };
  }
}
