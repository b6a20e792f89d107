/** Why a connection ended. */
export interface TransportEnd {
  reason: string;
  /** The HTTP status, where the edge answered with one in place of what was asked for. */
  status?: number;
  /** The edge asked to stay away for so long. */
  retryAfterMs?: number;
}

export interface TransportEvents {
  frame(text: string): void;
  /** Called once, also after a connection that never opened; not after `close()`. */
  closed(end: TransportEnd): void;
}

export interface Connection {
  send(text: string): void;
  /** Ends it; no event follows. */
  close(): void;
}

/** A way to the edge: the same frames, in order, either way. */
export interface Transport {
  readonly name: 'websocket' | 'poll';
  open(events: TransportEvents): Connection;
}

/** Seconds or an HTTP date to milliseconds from now; undefined where it is neither. */
export function parseRetryAfter(header: string | null | undefined, nowMs: number): number | undefined {
  if (!header) return undefined;
  if (/^\d{1,6}$/.test(header.trim())) return Number(header) * 1000;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
