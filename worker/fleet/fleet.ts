import type { Fault } from '../../shared/protocol/messages.ts';

export type QueryAnswer = { ok: true; result: unknown } | { ok: false; fault: Fault };

/** How verbs reach the runners. Neither call changes what should be: that is in the database. */
export interface Fleet {
  /** Tells the links of these runners to look at the database. Never throws; a lost poke is found by the next heartbeat. */
  poke(runnerIds: Iterable<string>): void;
  /**
   * Asks a runner something without side effects.
   * @returns the answer, or a fault: 503 not connected, 504 no answer in time
   */
  query(
    runnerId: string,
    query: { kind: string; targetId: string; args: Record<string, unknown> },
    timeoutMs: number,
  ): Promise<QueryAnswer>;
}
