import { Connection } from './connection.ts';
import { HranaError } from './errors.ts';
import type { Limits } from './limits.ts';
import { StatementCatalogue } from './statements.ts';
import type { Hold } from './streams.ts';
import { type Waiter, Writer } from './writer.ts';

/** The connections to one file: the writer, the one that serves single reads, and those that hold read transactions. */
export class Engine {
  readonly writer: Writer;
  readonly reader: Connection;
  readonly catalogue: StatementCatalogue;
  readonly #file: string;
  readonly #limits: Limits;
  readonly #connections: Connection[] = [];
  readonly #idleReaders: Connection[] = [];
  #heldReaders = 0;

  constructor(file: string, limits: Limits) {
    this.#file = file;
    this.#limits = limits;
    this.catalogue = new StatementCatalogue(limits);
    this.writer = new Writer(this.#open('writer'), limits, {
      changing: () => {
        for (const connection of this.#connections) connection.distrustColumns();
      },
      changed: () => {
        for (const connection of this.#connections) connection.forgetStatements();
      },
    });
    this.reader = this.#open('reader');
  }

  /** Wait for the writer. */
  async holdWriter(waiter: Waiter): Promise<Hold> {
    const { writer } = this;
    await writer.acquire(waiter);
    return { connection: writer.connection, worked: () => writer.noteSchema(), release: () => writer.release() };
  }

  /** Take a connection for a read transaction; throws if all are taken. */
  holdReader(): Hold {
    const { readTransactionsMax } = this.#limits;
    if (this.#heldReaders >= readTransactionsMax) {
      const message = `Server cannot handle additional transactions: at most ${readTransactionsMax} that read`;
      throw new HranaError(message, 'TRANSACTION_BUSY');
    }
    const connection = this.#idleReaders.pop() ?? this.#open('reader');
    this.#heldReaders += 1;
    return {
      connection,
      worked: () => undefined,
      release: () => {
        if (connection.inTransaction) connection.exec('ROLLBACK');
        this.#heldReaders -= 1;
        this.#idleReaders.push(connection);
      },
    };
  }

  /** Fold the WAL into the file and close. Nothing may be running. */
  close(): void {
    for (const connection of this.#connections.slice(1)) connection.close();
    this.writer.connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    this.writer.connection.close();
  }

  #open(role: 'writer' | 'reader'): Connection {
    const connection = new Connection(this.#file, role, this.#limits);
    this.#connections.push(connection);
    return connection;
  }
}
