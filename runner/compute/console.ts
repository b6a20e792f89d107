import { open, truncate } from 'node:fs/promises';
import { CONSOLE_BYTES_MAX } from '../../shared/limits.ts';
import { isErrno, statIfThere } from '../host/files.ts';
import { run } from '../host/run.ts';

const BLOCK_BYTES = 512;
/** Bounded when this much lies on the disk, so that most looks change nothing. */
const STORED_BYTES_MAX = 2 * CONSOLE_BYTES_MAX;

/** The last of what a guest wrote to its console, at most `length_lines` lines where that is given. */
export async function readConsole(path: string, length_lines: number | null): Promise<string> {
  const text = (await readTail(path)).toString('utf8').replaceAll('\r\n', '\n');
  if (length_lines === null) return text;
  if (length_lines === 0) return '';
  const body = text.endsWith('\n') ? text.slice(0, -1) : text;
  return body.split('\n').slice(-length_lines).join('\n');
}

async function readTail(path: string): Promise<Buffer> {
  const file = await open(path, 'r').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return null;
    throw error;
  });
  if (!file) return Buffer.alloc(0);
  try {
    const { size } = await file.stat();
    const start = Math.max(0, size - CONSOLE_BYTES_MAX);
    const { buffer, bytesRead } = await file.read(Buffer.alloc(size - start), 0, size - start, start);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/**
 * Gives back the disk space of what a console log has beyond its end. QEMU goes on writing meanwhile: the file keeps its
 * length and loses its beginning, so not a byte of the end is lost.
 */
export async function boundConsole(path: string): Promise<void> {
  const file = await statIfThere(path);
  if (!file || Number(file.blocks) * BLOCK_BYTES <= STORED_BYTES_MAX) return;
  const length = String(Number(file.size) - CONSOLE_BYTES_MAX);
  try {
    await run('fallocate', ['--punch-hole', '--offset', '0', '--length', length, path]);
  } catch {
    // A file system without holes: QEMU appends, so it goes on at the new end.
    await truncate(path, 0);
  }
}
