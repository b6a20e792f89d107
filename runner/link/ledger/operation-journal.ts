import type { Clock } from '../../../shared/clock.ts';
import type { Fault, MessageOf } from '../../../shared/protocol/messages.ts';
import { errorText, type Log } from '../../log.ts';
import type { Store } from '../../state/store.ts';

/** Ended operations are remembered so long after the edge knows of it: a repeat gets the same answer. */
const ENDED_KEPT_MS = 24 * 3_600_000;
const ENDED_KEPT_MAX = 10_000;

export interface JournaledOperation {
  readonly opId: string;
  readonly kind: string;
  readonly targetKind: string;
  readonly targetId: string;
  readonly targetEpoch: number;
  readonly deadlineMs: number;
  readonly args: Record<string, unknown>;
  state: 'accepted' | 'done' | 'failed';
  fault: Fault | null;
  result: Record<string, unknown> | null;
  /** The edge has stored how it ended. */
  acked: boolean;
  finishedMs: number | null;
}

/** Every operation before it runs, and how it ended, so that none runs twice and none is forgotten. */
export class OperationJournal {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #operations = new Map<string, JournaledOperation>();

  constructor(store: Store, clock: Clock, log: Log) {
    this.#store = store;
    this.#clock = clock;
    this.#log = log;
    for (const row of store.prepare('SELECT * FROM operations').all([])) {
      const operation = fromRow(row);
      this.#operations.set(operation.opId, operation);
    }
  }

  get(opId: string): JournaledOperation | undefined {
    return this.#operations.get(opId);
  }

  all(): Iterable<JournaledOperation> {
    return this.#operations.values();
  }

  /** Notes an operation before anything is done for it. @throws StoreError, and then it must not run */
  accept(message: MessageOf<'operation'>): JournaledOperation {
    const operation: JournaledOperation = {
      opId: message.op_id,
      kind: message.kind,
      targetKind: message.target_kind,
      targetId: message.target_id,
      targetEpoch: message.target_epoch,
      deadlineMs: message.deadline_ms,
      args: message.args,
      state: 'accepted',
      fault: null,
      result: null,
      acked: false,
      finishedMs: null,
    };
    this.#store.write('durable', () => this.#put(operation));
    this.#operations.set(operation.opId, operation);
    return operation;
  }

  /** Notes how it ended. When the disk fails the word of it is in memory only. */
  finish(operation: JournaledOperation, end: { fault: Fault } | { result: Record<string, unknown> }): void {
    operation.state = 'fault' in end ? 'failed' : 'done';
    operation.fault = 'fault' in end ? end.fault : null;
    operation.result = 'result' in end ? end.result : null;
    operation.finishedMs = this.#clock.nowMs();
    this.#operations.set(operation.opId, operation);
    this.#write('durable', () => this.#put(operation));
  }

  /** The edge has stored how these ended. */
  acknowledge(opIds: readonly string[]): void {
    const known = opIds.map((id) => this.#operations.get(id)).filter((one) => one !== undefined);
    for (const operation of known) operation.acked = true;
    const over = this.#overdue();
    if (known.length + over.length === 0) return;
    for (const { opId } of over) this.#operations.delete(opId);
    this.#write('lazy', () => {
      for (const operation of known) this.#put(operation);
      for (const { opId } of over) this.#store.prepare('DELETE FROM operations WHERE op_id = ?').run([opId]);
    });
  }

  #overdue(): JournaledOperation[] {
    const oldestMs = this.#clock.nowMs() - ENDED_KEPT_MS;
    const ended = [...this.#operations.values()].filter((one) => one.acked && one.finishedMs !== null);
    ended.sort((a, b) => (b.finishedMs ?? 0) - (a.finishedMs ?? 0));
    return ended.filter((one, index) => index >= ENDED_KEPT_MAX || (one.finishedMs ?? 0) < oldestMs);
  }

  #put(operation: JournaledOperation): void {
    const { opId, kind, targetKind, targetId, targetEpoch, deadlineMs, args, state, fault, result, acked } = operation;
    this.#store
      .prepare('INSERT OR REPLACE INTO operations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
      .run([
        opId,
        kind,
        targetKind,
        targetId,
        targetEpoch,
        deadlineMs,
        JSON.stringify(args),
        state,
        fault && JSON.stringify(fault),
        result && JSON.stringify(result),
        Number(acked),
        operation.finishedMs,
      ]);
  }

  #write(durability: 'durable' | 'lazy', statements: () => void): void {
    try {
      this.#store.write(durability, statements);
    } catch (error) {
      this.#log.error('ledger-write-failed', { what: 'operations', error: errorText(error) });
    }
  }
}

function fromRow(row: Record<string, unknown>): JournaledOperation {
  return {
    opId: String(row.op_id),
    kind: String(row.kind),
    targetKind: String(row.target_kind),
    targetId: String(row.target_id),
    targetEpoch: Number(row.target_epoch),
    deadlineMs: Number(row.deadline_ms),
    args: JSON.parse(String(row.args)) as Record<string, unknown>,
    state: row.state as JournaledOperation['state'],
    fault: row.fault === null ? null : (JSON.parse(String(row.fault)) as Fault),
    result: row.result === null ? null : (JSON.parse(String(row.result)) as Record<string, unknown>),
    acked: row.acked === 1,
    finishedMs: row.finished_ms === null ? null : Number(row.finished_ms),
  };
}
