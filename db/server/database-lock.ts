import { existsSync, mkdirSync, realpathSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { openNative } from './native.ts';

/** Another server has the file. */
class DatabaseLockedError extends Error {
  constructor(file: string) {
    super(`${file} is served by another process: two servers on one file would not see each other's writes in time`);
    this.name = 'DatabaseLockedError';
  }
}

/** The file under its one true name, its directory made if it is missing. */
export function resolveDatabaseFile(file: string): string {
  mkdirSync(dirname(file), { recursive: true });
  return existsSync(file) ? realpathSync(file) : join(realpathSync(dirname(file)), basename(file));
}

/**
 * Take the file for this process until the returned function is called. The lock is SQLite's own, on an empty database
 * beside the file: the kernel drops it when the process dies, so a killed server leaves nothing to clean up.
 */
export function lockDatabase(file: string): () => void {
  const lock = openNative(`${file}-lock`, 0);
  try {
    lock.exec('BEGIN EXCLUSIVE');
  } catch (error) {
    lock.close();
    if (error instanceof Error && 'code' in error && error.code === 'SQLITE_BUSY') throw new DatabaseLockedError(file);
    throw error;
  }
  return () => {
    lock.exec('ROLLBACK');
    lock.close();
  };
}
