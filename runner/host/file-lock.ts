import { open, rm } from 'node:fs/promises';
import { isErrno, readTextIfThere } from './files.ts';
import { identify, isAlive, type ProcessIdentity } from './processes.ts';

/**
 * Runs a task while holding a lock file; a lock whose process is gone is taken over.
 * @returns what the task answers, or null when a living process holds the lock
 */
export async function withFileLock<T>(path: string, task: () => Promise<T>): Promise<{ value: T } | null> {
  if (!(await take(path))) {
    const holder = JSON.parse((await readTextIfThere(path)) || 'null') as ProcessIdentity | null;
    if (holder && (await isAlive(holder))) return null;
    await rm(path, { force: true });
    if (!(await take(path))) return null;
  }
  try {
    return { value: await task() };
  } finally {
    await rm(path, { force: true });
  }
}

async function take(path: string): Promise<boolean> {
  try {
    const file = await open(path, 'wx', 0o600);
    try {
      await file.writeFile(JSON.stringify(await identify(process.pid)));
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}
