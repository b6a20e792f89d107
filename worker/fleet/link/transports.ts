import { MESSAGE_BYTES_MAX, POLL_HOLD_S } from '../../../shared/limits.ts';
import type { EdgeMessage } from '../../../shared/protocol/messages.ts';
import { frame, type Session, type SessionData } from './session.ts';

type Now = () => number;

const sockets = new WeakMap<WebSocket, Session>();

/** The session of a hibernatable socket; after hibernation it is rebuilt from the socket's attachment. */
export function socketSession(socket: WebSocket, now: Now, fresh?: SessionData): Session {
  const known = sockets.get(socket);
  if (known) return known;
  const data = fresh ?? (socket.deserializeAttachment() as SessionData);
  const session: Session = {
    data,
    send(body) {
      try {
        socket.send(frame(data, body, now()));
      } catch {
        // Closed in between: the close event tells, and what was not acknowledged is sent again.
      }
      socket.serializeAttachment(data);
    },
    save: () => socket.serializeAttachment(data),
    close(code, reason) {
      try {
        socket.close(code, reason);
      } catch {
        // Closed already.
      }
    },
  };
  sockets.set(socket, session);
  socket.serializeAttachment(data);
  return session;
}

/** What a long poll answers when its session is over. */
export type PollAnswer = { session: string; frames: string[] } | null;

/** A session over HTTPS long polls: messages wait here until the runner asks for them. */
export class PollSession implements Session {
  data: SessionData;
  closed = false;
  lastPollMs: number;
  readonly #now: Now;
  #outbox: string[] = [];
  #bytes = 0;
  #wake: (() => void) | null = null;

  constructor(data: SessionData, now: Now) {
    this.data = data;
    this.#now = now;
    this.lastPollMs = now();
  }

  send(body: EdgeMessage): void {
    const text = frame(this.data, body, this.#now());
    this.#outbox.push(text);
    this.#bytes += text.length;
    // A runner that stopped asking must not fill the memory: it will begin anew.
    if (this.#bytes > 8 * MESSAGE_BYTES_MAX) this.close(1009, 'outbox full');
    this.#wake?.();
  }

  save(): void {}

  close(_code: number, _reason: string): void {
    this.closed = true;
    this.#wake?.();
  }

  /** Takes what waits; holds until there is something, or for as long as a poll may be held. */
  async take(): Promise<PollAnswer> {
    this.#wake?.();
    this.lastPollMs = this.#now();
    if (this.#outbox.length === 0 && !this.closed) {
      await new Promise<void>((resolve) => {
        const release = () => {
          clearTimeout(timer);
          // A newer poll may have taken this one's place already: its waking must stay.
          if (this.#wake === release) this.#wake = null;
          resolve();
        };
        const timer = setTimeout(release, POLL_HOLD_S * 1000);
        this.#wake = release;
      });
    }
    const frames = this.#outbox;
    this.#outbox = [];
    this.#bytes = 0;
    return frames.length === 0 && this.closed ? null : { session: this.data.id, frames };
  }
}
