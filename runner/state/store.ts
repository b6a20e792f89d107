import { existsSync, renameSync } from 'node:fs';
import Database from 'libsql';
import type { Clock } from '../../shared/clock.ts';
import { errorText, type Log } from '../log.ts';

/** Wait for another process (`status` reading) before giving up. */
const BUSY_TIMEOUT_MS = 2_000;

/** What a file holds. */
export interface StoreFormat {
  /** As it is called in words and in events of the log. */
  name: string;
  version: number;
  schema: string;
  /** What becomes of it when its file is damaged, for the log. */
  afterDamage: string;
}

/** A value that SQLite binds. */
export type Bind = string | number | null | Uint8Array;
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

/** The file could not be written or read; what was to be written has not been, not even in part. */
export class StoreError extends Error {
  /** `full`: no space, or the disk fails. `corrupt`: the file is damaged. `newer`: a later build wrote it. */
  readonly problem: 'full' | 'corrupt' | 'newer' | 'other';
  constructor(problem: StoreError['problem'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.problem = problem;
  }
}

function toStoreError(error: unknown, name: string): StoreError {
  if (error instanceof StoreError) return error;
  const code = (error as { code?: unknown }).code;
  const sqlite = typeof code === 'string' ? code : '';
  const text = errorText(error);
  if (/CORRUPT|NOTADB/.test(sqlite) || /malformed|not a database/.test(text))
    return new StoreError('corrupt', `the ${name} file is damaged`, error);
  if (/FULL|IOERR|CANTOPEN|READONLY/.test(sqlite) || /disk is full|disk I\/O/.test(text))
    return new StoreError('full', `the ${name} cannot be written: free space in the state folder`, error);
  return new StoreError('other', `the ${name} failed`, error);
}

/** A SQLite file: one writer, whole transactions. */
export class Store {
  readonly #db: Connection;
  readonly #name: string;
  readonly #statements = new Map<string, Prepared>();

  private constructor(db: Connection, name: string) {
    this.#db = db;
    this.#name = name;
  }

  /**
   * Opens or makes the file. A damaged one is moved aside and begun anew.
   * @throws StoreError
   */
  static open(path: string, format: StoreFormat, clock: Clock, log: Log): Store {
    try {
      return Store.#open(path, format);
    } catch (cause) {
      const error = toStoreError(cause, format.name);
      if (error.problem !== 'corrupt') throw error;
      const aside = `${path}.corrupt-${clock.nowMs()}`;
      for (const suffix of ['', '-wal', '-shm']) {
        if (existsSync(path + suffix)) renameSync(path + suffix, aside + suffix);
      }
      log.error(`${format.name}-corrupt`, {
        movedTo: aside,
        error: errorText(error),
        next: format.afterDamage,
      });
      return Store.#open(path, format);
    }
  }

  static #open(path: string, { name, version: newest, schema }: StoreFormat): Store {
    const db = new Database(path, { timeout: BUSY_TIMEOUT_MS } as Database.Options) as unknown as Connection;
    try {
      const check = db.prepare('PRAGMA quick_check(1)').all([]);
      if (check[0]?.quick_check !== 'ok')
        throw new StoreError('corrupt', `the ${name} file is damaged: ${String(check[0]?.quick_check)}`);
      const version = Number(db.prepare('PRAGMA user_version').all([])[0]?.user_version ?? 0);
      if (version > newest)
        throw new StoreError('newer', `the ${name} has format ${version}, this build reads ${newest}: upgrade it`);
      db.prepare('PRAGMA journal_mode=WAL').all([]);
      db.exec('PRAGMA synchronous=FULL');
      if (version < newest) {
        db.exec(schema);
        db.exec(`PRAGMA user_version=${newest}`);
      }
      return new Store(db, name);
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
   * @throws StoreError, and then nothing is written
   */
  write(durability: 'durable' | 'lazy', statements: () => void): void {
    try {
      this.#db.exec(`PRAGMA synchronous=${durability === 'durable' ? 'FULL' : 'NORMAL'}`);
      this.#db.exec('BEGIN IMMEDIATE');
      statements();
      this.#db.exec('COMMIT');
    } catch (cause) {
      this.#rollBack();
      throw toStoreError(cause, this.#name);
    }
  }

  /** Reads. @throws StoreError */
  read<T>(statements: () => T): T {
    try {
      return statements();
    } catch (cause) {
      throw toStoreError(cause, this.#name);
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
