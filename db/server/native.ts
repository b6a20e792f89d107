import LibsqlDatabase from 'libsql';
import LibsqlAsyncDatabase from 'libsql/promise';
import type { SqlValue } from './protocol.ts';

/** The part of the native binding's statement that is used here. */
export interface NativeStatement {
  readonly reader: boolean;
  raw(): this;
  columns(): { name: string; type: string | null }[];
  run(args: SqlValue[]): { changes: number; lastInsertRowid: number };
  get(args: SqlValue[]): unknown;
  iterate(args: SqlValue[]): Iterable<unknown[]>;
}

/** The part of the native binding's connection that is used here. */
export interface NativeDatabase {
  readonly inTransaction: boolean;
  prepare(sql: string): NativeStatement;
  exec(sql: string): unknown;
  defaultSafeIntegers(on: boolean): unknown;
  close(): unknown;
}

type Constructor = new (path: string, options: { timeout: number }) => NativeDatabase;
interface AsyncExec {
  exec(this: NativeDatabase, sql: string): Promise<void>;
}

/** Open a connection; integers come as bigint, so that none loses a bit. */
export function openNative(path: string, busyTimeoutMs: number): NativeDatabase {
  const open = LibsqlDatabase as unknown as Constructor;
  const database = new open(path, { timeout: busyTimeoutMs });
  database.defaultSafeIntegers(true);
  return database;
}

/**
 * Run SQL on a thread of the binding, so that an fsync does not hold the event loop. Both flavours of the binding wrap
 * the same handle, so the asynchronous exec works on a connection opened by the other; until it settles, nothing else
 * may touch that connection, for it would wait in place.
 */
export function execInBackground(database: NativeDatabase, sql: string): Promise<void> {
  const flavour = LibsqlAsyncDatabase as unknown as { prototype: AsyncExec };
  return flavour.prototype.exec.call(database, sql);
}
