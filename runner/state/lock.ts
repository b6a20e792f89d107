import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import Database from 'libsql';
import { Refusal } from '../../shared/refusal.ts';

/** `status` takes the lock for a moment to see whether it is free. */
const LOCK_TIMEOUT_MS = 500;

interface Connection {
  exec(sql: string): unknown;
  prepare(sql: string): { all(): unknown[] };
  close(): unknown;
}

/**
 * Takes a state folder for this process. The lock is the kernel's, through SQLite's exclusive mode: it ends with the
 * process, however that ends.
 * @returns what lets go of it
 * @throws Refusal when another process has it
 */
export function lockStateFolder(path: string): () => void {
  const db = new Database(path, { timeout: LOCK_TIMEOUT_MS } as Database.Options) as unknown as Connection;
  try {
    db.prepare('PRAGMA locking_mode=EXCLUSIVE').all();
    db.exec('BEGIN EXCLUSIVE');
    db.exec('CREATE TABLE IF NOT EXISTS holder (pid INTEGER)');
    db.exec('COMMIT');
  } catch (error) {
    db.close();
    if ((error as { code?: unknown }).code !== 'SQLITE_BUSY') throw lockFailed(path, error);
    const pid = holderOf(path);
    throw new Refusal(
      `The state folder is in use by another runner${pid ? ` (process ${pid})` : ''}: stop that first, or use another --state.`,
    );
  }
  writeFileSync(`${path}.pid`, `${process.pid}\n`, { mode: 0o600 });
  return () => {
    // Closing alone would keep the lock until statements are collected.
    db.prepare('PRAGMA locking_mode=NORMAL').all();
    db.prepare('SELECT * FROM holder').all();
    db.close();
  };
}

/** Whether a runner is running from the folder of this lock. */
export function isLocked(path: string): boolean {
  if (!existsSync(path)) return false;
  const db = new Database(path, { timeout: 0 } as Database.Options) as unknown as Connection;
  try {
    db.prepare('SELECT * FROM holder').all();
    return false;
  } catch {
    return true;
  } finally {
    db.close();
  }
}

/** The process that last took the lock; null where that is not known. */
export function holderOf(path: string): number | null {
  try {
    return Number(readFileSync(`${path}.pid`, 'utf8')) || null;
  } catch {
    return null;
  }
}

function lockFailed(path: string, error: unknown): Refusal {
  const text = error instanceof Error ? error.message : String(error);
  return new Refusal(
    `The lock ${path} cannot be taken (${text}): free space there, or remove that file if it is damaged.`,
  );
}
