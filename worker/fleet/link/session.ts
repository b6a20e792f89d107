import type { EdgeMessage } from '../../../shared/protocol/messages.ts';

/** What a session must remember; small, so that it fits a hibernating socket's attachment. */
export interface SessionData {
  id: string;
  runnerId: string;
  /** What the hello must sign. */
  nonce: string;
  /** 0 until welcomed. */
  epoch: number;
  region: string;
  seqOut: number;
  seqIn: number;
  /** The generation up to which desired state was sent. */
  sentGeneration: number;
  bootId: string;
  openedAtMs: number;
  tokenExpiresAtMs: number;
}

/** One runner's conversation, over a socket or a long poll. */
export interface Session {
  data: SessionData;
  /** Sends a message; each carries the next seq and what was seen so far. */
  send(body: EdgeMessage): void;
  /** Keeps `data` beyond hibernation. */
  save(): void;
  close(code: number, reason: string): void;
}

/** Numbers a message for a session. */
export function frame(data: SessionData, body: EdgeMessage, nowMs: number): string {
  data.seqOut += 1;
  return JSON.stringify({
    v: 1,
    session: data.id,
    epoch: data.epoch,
    seq: data.seqOut,
    ack: data.seqIn,
    ts_ms: nowMs,
    body,
  });
}

/** A session before its hello. */
export function newSessionData(of: {
  id: string;
  runnerId: string;
  nonce: string;
  region: string;
  nowMs: number;
}): SessionData {
  const { nowMs, ...rest } = of;
  return {
    ...rest,
    epoch: 0,
    seqOut: 0,
    seqIn: 0,
    sentGeneration: 0,
    bootId: '',
    openedAtMs: nowMs,
    tokenExpiresAtMs: 0,
  };
}
