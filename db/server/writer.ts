import type { Connection } from './connection.ts';
import { HranaError } from './errors.ts';
import type { Limits } from './limits.ts';
import type { ResponseBudget } from './results.ts';
import { SharedRunner } from './runners.ts';
import type { Unit } from './units.ts';

/** Who waits for the writer, and whether it still makes sense to serve them. */
export interface Waiter {
  budget: ResponseBudget;
  gone(): boolean;
}

interface Waiting {
  sinceMs: number;
  waiter: Waiter;
  /** What to run in a group; undefined for who wants the connection to itself. */
  unit: Unit | undefined;
  settle(result: string | undefined): void;
  fail(error: unknown): void;
}

/** Tells every connection about a change of the schema, for each keeps what it knows of the columns. */
export interface SchemaWatch {
  /** From now until `changed`, what is known may be wrong at any moment. */
  changing(): void;
  changed(): void;
}

interface Ran {
  waiting: Waiting;
  result: string | undefined;
}

/**
 * The only connection that writes. It is either in a group (one transaction for the work of several streams, each in
 * its savepoint, answered after one fsync for all), or held by one stream, or idle. First come, first served.
 */
export class Writer {
  readonly connection: Connection;
  readonly #limits: Limits;
  readonly #schemaWatch: SchemaWatch;
  #queue: Waiting[] = [];
  #busy = false;
  #scheduled = false;

  constructor(connection: Connection, limits: Limits, schemaWatch: SchemaWatch) {
    this.connection = connection;
    this.#limits = limits;
    this.#schemaWatch = schemaWatch;
  }

  /** Run work in a group. Its result is durable; undefined means that it left no trace and must run while held. */
  submit(unit: Unit, waiter: Waiter): Promise<string | undefined> {
    return this.#enqueue(unit, waiter);
  }

  /** Wait until the connection is the caller's alone, who must release it. */
  async acquire(waiter: Waiter): Promise<void> {
    await this.#enqueue(undefined, waiter);
  }

  /** Give the connection back; a transaction still open on it is rolled back. */
  release(): void {
    const { connection } = this;
    if (connection.inTransaction) connection.exec('ROLLBACK');
    if (connection.settingsTouched) connection.restoreSettings();
    this.#finished();
  }

  /** To be called whenever work was done on the connection while it is held. */
  noteSchema(): void {
    if (!this.connection.schemaChanged) return;
    this.#schemaWatch.changed();
    // An open transaction may still undo it, or make it seen by others.
    if (!this.connection.inTransaction) this.connection.schemaChanged = false;
  }

  #enqueue(unit: Unit | undefined, waiter: Waiter): Promise<string | undefined> {
    return new Promise((settle, fail) => {
      this.#queue.push({ sinceMs: performance.now(), waiter, unit, settle, fail });
      this.#schedule();
    });
  }

  // One turn of the event loop, so that what arrived in the same turn shares the transaction.
  #schedule(): void {
    if (this.#busy || this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#next();
    });
  }

  #finished(): void {
    this.noteSchema();
    this.#busy = false;
    if (this.#queue.length > 0) this.#schedule();
  }

  #next(): void {
    if (this.#busy) return;
    this.#dropHopeless();
    const first = this.#queue[0];
    if (first === undefined) return;
    this.#busy = true;
    if (first.unit === undefined) {
      this.#queue.shift();
      first.settle(undefined);
      return;
    }
    void this.#runGroup();
  }

  #dropHopeless(): void {
    const nowMs = performance.now();
    this.#queue = this.#queue.filter((waiting) => {
      const waitedMs = nowMs - waiting.sinceMs;
      if (!waiting.waiter.gone() && waitedMs <= this.#limits.writerWaitMsMax) return true;
      waiting.fail(
        new HranaError(`database is locked: waited ${Math.round(waitedMs)} ms for the writer`, 'SQLITE_BUSY'),
      );
      return false;
    });
  }

  async #runGroup(): Promise<void> {
    const { connection } = this;
    const ran: Ran[] = [];
    try {
      connection.exec('BEGIN IMMEDIATE');
      this.#runWaiting(ran);
      if (connection.schemaChanged) this.#schemaWatch.changing();
      await connection.commitInBackground();
      for (const { waiting, result } of ran) waiting.settle(result);
    } catch (error) {
      this.#undoGroup(ran, error);
    }
    this.#finished();
  }

  // A commit may fail for the sake of one (a deferred foreign key) or of all (a full disk): each is told to run alone,
  // and meets its own error there. Without anyone to blame, the one whose turn it was is told.
  #undoGroup(ran: Ran[], error: unknown): void {
    if (this.connection.inTransaction) this.connection.exec('ROLLBACK');
    if (ran.length === 0) this.#queue.shift()?.fail(error);
    for (const { waiting } of ran) waiting.settle(undefined);
  }

  #runWaiting(ran: Ran[]): void {
    const startMs = performance.now();
    while (ran.length < this.#limits.groupBatchesMax && performance.now() - startMs < this.#limits.groupMsMax) {
      const waiting = this.#queue[0];
      if (waiting?.unit === undefined) return;
      const result = this.#runOne(waiting.unit, waiting.waiter);
      this.#queue.shift();
      if (this.connection.inTransaction) {
        ran.push({ waiting, result });
        continue;
      }
      // An ON CONFLICT ROLLBACK took the whole group with it. Nobody has been answered: the others start over.
      waiting.settle(undefined);
      this.#queue.unshift(...ran.map((other) => other.waiting));
      ran.length = 0;
      this.connection.exec('BEGIN IMMEDIATE');
    }
  }

  #runOne(unit: Unit, waiter: Waiter): string | undefined {
    const { connection } = this;
    const { bytesLeft } = waiter.budget;
    connection.exec('SAVEPOINT unit');
    const runner = new SharedRunner(connection, waiter.budget);
    const result = unit.run(runner);
    if (!connection.inTransaction) {
      waiter.budget.bytesLeft = bytesLeft;
      return undefined;
    }
    if (runner.autocommit) {
      connection.exec('RELEASE unit');
      return result;
    }
    connection.exec('ROLLBACK TO unit; RELEASE unit');
    waiter.budget.bytesLeft = bytesLeft;
    return undefined;
  }
}
