import type { Timers } from '../../shared/clock.ts';
import type { Fault, MessageOf, RunnerMessage } from '../../shared/protocol/messages.ts';
import { DriverError, type Operator } from '../driver.ts';
import type { Log } from '../log.ts';
import type { Reconciler } from '../reconcile/reconciler.ts';
import { clipFault, faultOf } from '../reconcile/retry.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { JournaledOperation, OperationJournal } from './ledger/operation-journal.ts';

/** Text of a result at most. */
const RESULT_LENGTH_MAX = 64 * 1024;

export interface OperationsOptions {
  journal: OperationJournal;
  ledger: Ledger;
  operator: Operator;
  reconciler: Reconciler;
  time: Timers;
  log: Log;
  send(message: RunnerMessage): number | null;
  /** Whether a session is open. */
  connected(): boolean;
  /** The edge's clock, for its deadlines. */
  edgeNowMs(): number;
}

/** Runs operations: each is journaled first, runs once, and is answered until the edge has its end. */
export class Operations {
  readonly #o: OperationsOptions;
  readonly #running = new Set<string>();
  readonly #over = new AbortController();
  /** Images that no guest waits for come one at a time. */
  #images: Promise<void> = Promise.resolve();
  #stopped = false;

  constructor(options: OperationsOptions) {
    this.#o = options;
  }

  /** Takes up what an earlier process of the runner began. */
  resume(): void {
    for (const operation of this.#o.journal.all()) if (operation.state === 'accepted') this.#run(operation);
  }

  /** From now on nothing ends: what is called off is taken up by the next process. */
  stop(): void {
    this.#stopped = true;
    this.#over.abort();
  }

  /** A session is open: ends that the edge does not know are told again. */
  ready(): void {
    for (const operation of this.#o.journal.all())
      if (!operation.acked && operation.state !== 'accepted') this.#tell(operation);
  }

  take(message: MessageOf<'operation'>): void {
    const known = this.#o.journal.get(message.op_id);
    if (known) {
      this.#tell(known);
      if (known.state === 'accepted' && !this.#running.has(known.opId)) this.#run(known);
      return;
    }
    let operation: JournaledOperation;
    try {
      operation = this.#o.journal.accept(message);
    } catch (error) {
      this.#o.log.error('operation-not-journaled', { opId: message.op_id, error: String(error) });
      const fault = { code: 507, message: 'The runner could not journal the operation, so it did not begin it.' };
      this.#o.send({ type: 'operation-update', op_id: message.op_id, state: 'failed', fault });
      return;
    }
    this.#tell(operation);
    this.#run(operation);
  }

  acknowledged(message: MessageOf<'operation-ack'>): void {
    this.#o.journal.acknowledge(message.op_ids);
  }

  /** How an operation stands, to the edge. */
  #tell(operation: JournaledOperation): void {
    const { opId, state, fault, result } = operation;
    const end = { ...(fault ? { fault } : {}), ...(result ? { result } : {}) };
    this.#o.send({ type: 'operation-update', op_id: opId, state, ...end });
  }

  #run(operation: JournaledOperation): void {
    const problem = this.#problem(operation);
    if (problem) {
      this.#end(operation, { fault: problem });
      return;
    }
    this.#running.add(operation.opId);
    const late = new AbortController();
    const leftMs = Math.max(0, operation.deadlineMs - this.#o.edgeNowMs());
    const calm = this.#o.time.after(leftMs, () => {
      late.abort();
      this.#end(operation, { fault: overdue(operation) });
    });
    const task = {
      run: async (signal: AbortSignal) => {
        if (operation.state !== 'accepted' || this.#stopped) return;
        try {
          const result = await this.#perform(operation, AbortSignal.any([signal, late.signal]));
          this.#end(operation, { result });
        } catch (error) {
          this.#end(operation, { fault: faultOf(error) });
        } finally {
          calm();
        }
      },
      gone: () => {
        calm();
        this.#end(operation, { fault: notHere(operation) });
      },
    };
    if (operation.targetKind === 'image') {
      this.#images = this.#images
        .then(() => task.run(this.#over.signal))
        .catch((error) => this.#o.log.error('operation-not-ended', { opId: operation.opId, error: String(error) }));
      return;
    }
    if (!this.#o.reconciler.enqueue(operation.targetKind, operation.targetId, task)) task.gone();
  }

  async #perform(operation: JournaledOperation, signal: AbortSignal): Promise<Record<string, unknown>> {
    const problem = this.#problem(operation);
    if (problem) throw new DriverError(problem.message, { code: problem.code });
    const { kind, targetId, targetEpoch, args } = operation;
    const hooks = {
      signal,
      connected: () => this.#o.connected(),
      progress: (progress: Record<string, number>) => this.#progress(operation, progress),
    };
    const result = await this.#o.operator.run({ kind, targetId, targetEpoch, args }, hooks);
    const length = JSON.stringify(result).length;
    if (length > RESULT_LENGTH_MAX) throw new DriverError(`The result of ${kind} is too large: ${length} characters.`);
    return result;
  }

  #progress(operation: JournaledOperation, progress: Record<string, number>): void {
    if (operation.state !== 'accepted' || this.#stopped) return;
    this.#o.send({ type: 'operation-update', op_id: operation.opId, state: 'accepted', result: progress });
  }

  /** Why an operation cannot run now; null where it can. */
  #problem(operation: JournaledOperation): Fault | null {
    if (this.#o.edgeNowMs() >= operation.deadlineMs) return overdue(operation);
    if (operation.targetKind === 'image') return null;
    const target = this.#o.ledger.get(operation.targetKind, operation.targetId);
    if (!target || target.deleted) return notHere(operation);
    const epoch = (target.spec as { epoch?: unknown } | null)?.epoch;
    if (operation.targetKind === 'server' && epoch !== operation.targetEpoch) {
      const message = `Operation ${operation.kind} is for epoch ${operation.targetEpoch} of the server; here it has ${String(epoch)}.`;
      return { code: 409, message };
    }
    return null;
  }

  #end(operation: JournaledOperation, end: { fault: Fault } | { result: Record<string, unknown> }): void {
    this.#running.delete(operation.opId);
    if (operation.state !== 'accepted' || this.#stopped) return;
    this.#o.journal.finish(operation, 'fault' in end ? { fault: clipFault(end.fault) } : end);
    this.#o.log.info('operation-ended', { opId: operation.opId, kind: operation.kind, state: operation.state });
    this.#tell(operation);
  }
}

const overdue = ({ kind }: JournaledOperation): Fault => ({
  code: 504,
  message: `Operation ${kind} was not done by its deadline.`,
});
const notHere = ({ targetKind, targetId }: JournaledOperation): Fault => ({
  code: 404,
  message: `The ${targetKind} ${targetId} is not on this machine.`,
});
