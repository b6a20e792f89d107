import type { Connection } from './connection.ts';
import { HranaError } from './errors.ts';
import type { ResponseBudget, StatementResult } from './results.ts';
import type { BoundStatement } from './statements.ts';

/** Runs the statements of one stream; what `autocommit` says is what the stream would see on a connection of its own. */
export interface StatementRunner {
  readonly autocommit: boolean;
  run(statement: BoundStatement): StatementResult;
}

const NOTHING: StatementResult = { columns: '[]', rows: '[]', changes: 0, lastInsertRowid: undefined };

function refuse(statement: BoundStatement): void {
  if (statement.kind !== 'refused') return;
  const words = statement.words.slice(0, 2).join(' ');
  throw new HranaError(`Operation was blocked: ${words} is not allowed through this server`, 'BLOCKED');
}

const CONTROL_WORDS = new Set(['BEGIN', 'COMMIT', 'END', 'ROLLBACK', 'SAVEPOINT', 'RELEASE']);

function isControl(statement: BoundStatement): boolean {
  return CONTROL_WORDS.has(statement.words[0] ?? '');
}

/** Runs on a connection that is the stream's alone for now, each statement as it stands. */
export class LiteralRunner implements StatementRunner {
  readonly #connection: Connection;
  readonly #budget: ResponseBudget;

  constructor(connection: Connection, budget: ResponseBudget) {
    this.#connection = connection;
    this.#budget = budget;
  }

  get autocommit(): boolean {
    return !this.#connection.inTransaction;
  }

  run(statement: BoundStatement): StatementResult {
    refuse(statement);
    if (!isControl(statement)) return this.#connection.run(statement, this.#budget);
    // Not kept prepared: a COMMIT that fails on a foreign key stays in its middle, and would hold the WAL.
    this.#connection.exec(statement.sql);
    return NOTHING;
  }
}

/**
 * Runs inside a transaction shared with other streams: BEGIN, COMMIT and ROLLBACK of this stream become a savepoint.
 * A statement outside of them is atomic by itself, as it is in autocommit.
 */
export class SharedRunner implements StatementRunner {
  readonly #connection: Connection;
  readonly #budget: ResponseBudget;
  #open = false;

  constructor(connection: Connection, budget: ResponseBudget) {
    this.#connection = connection;
    this.#budget = budget;
  }

  get autocommit(): boolean {
    return !this.#open;
  }

  run(statement: BoundStatement): StatementResult {
    refuse(statement);
    switch (statement.kind) {
      case 'begin':
      case 'begin-immediate':
      case 'begin-readonly':
        return this.#begin();
      case 'commit':
        return this.#end('RELEASE stream', 'commit');
      case 'rollback':
        return this.#end('ROLLBACK TO stream; RELEASE stream', 'rollback');
      default:
        return this.#connection.run(statement, this.#budget);
    }
  }

  #begin(): StatementResult {
    if (this.#open) {
      throw new HranaError('SQLite error: cannot start a transaction within a transaction', 'SQLITE_ERROR');
    }
    this.#connection.exec('SAVEPOINT stream');
    this.#open = true;
    return NOTHING;
  }

  #end(sql: string, verb: string): StatementResult {
    if (!this.#open) throw new HranaError(`SQLite error: cannot ${verb} - no transaction is active`, 'SQLITE_ERROR');
    this.#connection.exec(sql);
    this.#open = false;
    return NOTHING;
  }
}
