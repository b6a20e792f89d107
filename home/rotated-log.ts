import { closeSync, fstatSync, openSync, renameSync, writeSync } from 'node:fs';

const LOG_BYTES_MAX = 16 * 1024 * 1024;

/** A log file that moves to `<file>.1` when it is full, so that two files at most are kept. */
export class RotatedLog {
  readonly file: string;
  readonly #bytesMax: number;
  #fd: number;
  #bytes: number;

  constructor(file: string, bytesMax = LOG_BYTES_MAX) {
    this.file = file;
    this.#bytesMax = bytesMax;
    this.#fd = openSync(file, 'a', 0o600);
    this.#bytes = fstatSync(this.#fd).size;
  }

  write(data: string | Uint8Array): void {
    const bytes = typeof data === 'string' ? Buffer.from(data) : data;
    if (this.#bytes + bytes.length > this.#bytesMax) this.#rotate();
    try {
      this.#bytes += writeSync(this.#fd, bytes);
    } catch (error) {
      // A full disk must not take the control plane down with its log.
      if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    }
  }

  close(): void {
    closeSync(this.#fd);
  }

  #rotate(): void {
    closeSync(this.#fd);
    renameSync(this.file, `${this.file}.1`);
    this.#fd = openSync(this.file, 'a', 0o600);
    this.#bytes = 0;
  }
}
