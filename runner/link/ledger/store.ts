import { existsSync, renameSync } from 'node:fs';
import Database from 'libsql';
import type { Clock } from '../../../shared/clock.ts';
import { errorText, type Log } from '../../log.ts';

/** Wait for another process (`status` reading) before giving up. */
const BUSY_TIMEOUT_MS = 2_000;
const SCHEMA_VERSION = 1;

const SCHEMA = `
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS objects (
  kind TEXT NOT NULL, id TEXT NOT NULL, generation INTEGER NOT NULL, digest TEXT NOT NULL, deleted INTEGER NOT NULL,
  spec TEXT, applied_generation INTEGER NOT NULL, applied_boot TEXT NOT NULL, observation TEXT, settled INTEGER NOT NULL,
  PRIMARY KEY (kind, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS epochs (server_id TEXT PRIMARY KEY, epoch INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS operations (
  op_id TEXT PRIMARY KEY, kind TEXT NOT NULL, target_kind TEXT NOT NULL, target_id TEXT NOT NULL,
  target_epoch INTEGER NOT NULL, deadline_ms INTEGER NOT NULL, args TEXT NOT NULL, state TEXT NOT NULL,
  fault TEXT, result TEXT, acked INTEGER NOT NULL, finished_ms INTEGER) WITHOUT ROWID;
`;

/** A value that SQLite binds. */
export type Bind = string | number | null;
export interface Prepared {
  run(args: Bind[]): unknown;
  all(args: Bind[]): Record<string, unknown>[];
}
interface Connection {
  readonly inTransaction: boolean;
  prepare(sql: string): Prepared;
  exec(sql: string): unknown;
  close(): unknown;
}

/** The ledger could not be written or read; what was to be written has not been, not even in part. */
export class LedgerError extends Error {
  /** `full`: no space, or the disk fails. `corrupt`: the file is damaged. `newer`: a later build wrote it. */
  readonly problem: 'full' | 'corrupt' | 'newer' | 'other';
  constructor(problem: LedgerError['problem'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'LedgerError';
    this.problem = problem;
  }
}

function toLedgerError(error: unknown): LedgerError {
  if (error instanceof LedgerError) return error;
  const code = (error as { code?: unknown }).code;
  const name = typeof code === 'string' ? code : '';
  const text = errorText(error);
  if (/CORRUPT|NOTADB/.test(name) || /malformed|not a database/.test(text))
    return new LedgerError('corrupt', 'the ledger file is damaged', error);
  if (/FULL|IOERR|CANTOPEN|READONLY/.test(name) || /disk is full|disk I\/O/.test(text))
    return new LedgerError('full', 'the ledger cannot be written: free space in the state folder', error);
  return new LedgerError('other', 'the ledger failed', error);
}

/** The SQLite file behind the ledger: one writer, whole transactions. */
export class Store {
  readonly #db: Connection;
  readonly #statements = new Map<string, Prepared>();

  private constructor(db: Connection) {
    this.#db = db;
  }

  /**
   * Opens or makes the file. A damaged one is moved aside and begun anew: the edge sends everything again.
   * @throws LedgerError
   */
  static open(path: string, clock: Clock, log: Log): Store {
    try {
      return Store.#open(path);
    } catch (cause) {
      const error = toLedgerError(cause);
      if (error.problem !== 'corrupt') throw error;
      const aside = `${path}.corrupt-${clock.nowMs()}`;
      for (const suffix of ['', '-wal', '-shm']) {
        if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
      }
      log.error('ledger-corrupt', {
        movedTo: aside,
        error: errorText(error),
        next: 'guests keep running; the edge is asked for all of the desired state',
      });
      return Store.#open(path);
    }
  }

  static #open(path: string): Store {
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS } as Database.Options) as unknown as Connection;
    try {
      const check = db.prepare('PRAGMA quick_check(1)').all([]);
      if (check[0]?.quick_check !== 'ok')
        throw new LedgerError('corrupt', `the ledger file is damaged: ${String(check[0]?.quick_check)}`);
      const version = Number(db.prepare('PRAGMA user_version').all([])[0]?.user_version ?? 0);
      if (version > SCHEMA_VERSION)
        throw new LedgerError(
          'newer',
          `the ledger has format ${version}, this build reads ${SCHEMA_VERSION}: upgrade it`,
        );
      db.prepare('PRAGMA journal_mode=WAL').all([]);
      db.exec('PRAGMA synchronous=FULL');
      if (version < SCHEMA_VERSION) {
        db.exec(SCHEMA);
        db.exec(`PRAGMA user_version=${SCHEMA_VERSION}`);
      }
      return new Store(db);
    } catch (error) {
      db.close();
      throw error;
    }
  }

  /** A statement, prepared once. */
  prepare(sql: string): Prepared {
    let statement = this.#statements.get(sql);
    if (!statement) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  /**
   * Writes in one transaction. `durable` waits for the disk; without it a power cut may lose the write, never tear it.
   * @throws LedgerError, and then nothing is written
   */
  write(durability: 'durable' | 'lazy', statements: () => void): void {
    try {
      this.#db.exec(`PRAGMA synchronous=${durability === 'durable' ? 'FULL' : 'NORMAL'}`);
      this.#db.exec('BEGIN IMMEDIATE');
      statements();
      this.#db.exec('COMMIT');
    } catch (cause) {
      this.#rollBack();
      throw toLedgerError(cause);
    }
  }

  #rollBack(): void {
    try {
      if (this.#db.inTransaction) this.#db.exec('ROLLBACK');
    } catch {
      // SQLite rolls back by itself where the disk fails; the error that led here says more.
    }
  }

  close(): void {
    try {
      this.#db.prepare('PRAGMA wal_checkpoint(TRUNCATE)').all([]);
    } finally {
      this.#statements.clear();
      this.#db.close();
    }
  }
}
