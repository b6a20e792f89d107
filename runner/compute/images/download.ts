import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, open, rm } from 'node:fs/promises';
import type { ImageRef } from '../../../shared/specs/server.ts';
import { DriverError } from '../../driver.ts';
import { isErrno, statIfThere } from '../../host/files.ts';
import { pause } from '../../host/wait.ts';
import { errorText, type Log } from '../../log.ts';

/** The bytes of an image from one on. @throws when the edge cannot be reached or refuses */
export type FetchImage = (id: string, fromByte: number) => Promise<{ body: AsyncIterable<Uint8Array> }>;

const ATTEMPTS_MAX = 6;
const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** A download that brings nothing for this long is broken. */
const STALL_MS = 60_000;

/**
 * Downloads an image into a file and verifies it. A download that breaks goes on where it broke, also after the runner's
 * own death or the signal; what turns out wrong, or does not fit on the disk, is removed.
 * @throws DriverError
 */
export async function downloadImage(
  ref: ImageRef,
  path: string,
  fetchImage: FetchImage,
  log: Log,
  signal: AbortSignal,
): Promise<void> {
  const part = new Part(ref, path);
  await part.open();
  try {
    for (let attempt = 1; !part.complete; attempt++) {
      try {
        await part.receive(await fetchImage(ref.id, part.size_bytes), signal);
        if (!part.complete) throw new Error(`the download ended after ${part.size_bytes} of ${ref.size_bytes} bytes`);
      } catch (error) {
        if (error instanceof DriverError || isErrno(error, 'ENOSPC', 'EDQUOT')) throw error;
        if (signal.aborted || attempt >= ATTEMPTS_MAX) throw unreachable(ref, error);
        log.warn('image-download-broke', { image: ref.id, at_bytes: part.size_bytes, error: errorText(error) });
        await pause(Math.min(RETRY_MIN_MS * 2 ** (attempt - 1), RETRY_MAX_MS), signal);
      }
    }
    await part.finish();
  } catch (error) {
    await part.close();
    if (isErrno(error, 'ENOSPC', 'EDQUOT')) {
      await rm(path, { force: true });
      throw noSpace(ref);
    }
    if (error instanceof DriverError && error.fault.code !== 503) await rm(path, { force: true });
    throw error;
  }
}

/** The fault of a machine whose disk is full. */
export function noSpace(ref: ImageRef): DriverError {
  return new DriverError(`No space is left on the machine for image ${ref.id} of ${ref.size_bytes} bytes`, {
    details: 'Free space in the state folder of the runner, or place the server on another machine.',
  });
}

const unreachable = (ref: ImageRef, cause: unknown) =>
  new DriverError(`Image ${ref.id} could not be downloaded: ${errorText(cause)}`, {
    code: 503,
    details: `${ATTEMPTS_MAX} attempts were made; what came is kept, and the next start goes on from there.`,
    cause,
  });

const corrupt = (ref: ImageRef, why: string) =>
  new DriverError(`Image ${ref.id} is corrupt: ${why}`, {
    details: 'The download was removed. Upload the image again.',
  });

class Part {
  readonly #ref: ImageRef;
  readonly #path: string;
  #hash: Hash = createHash('sha256');
  #file: FileHandle | null = null;
  size_bytes = 0;

  constructor(ref: ImageRef, path: string) {
    this.#ref = ref;
    this.#path = path;
  }

  get complete(): boolean {
    return this.size_bytes === this.#ref.size_bytes;
  }

  /** Takes over what an earlier download left. */
  async open(): Promise<void> {
    const there = await statIfThere(this.#path);
    if (there && Number(there.size) > this.#ref.size_bytes) await rm(this.#path);
    else if (there) {
      for await (const chunk of createReadStream(this.#path)) this.#count(chunk as Buffer);
    }
    this.#file = await open(this.#path, 'a', 0o600);
  }

  async receive(answer: { body: AsyncIterable<Uint8Array> }, signal: AbortSignal): Promise<void> {
    const chunks = answer.body[Symbol.asyncIterator]();
    try {
      while (true) {
        const next = await withinStallTime(chunks.next());
        signal.throwIfAborted();
        if (next.done) return;
        if (this.size_bytes + next.value.length > this.#ref.size_bytes)
          throw corrupt(this.#ref, `it has more than its ${this.#ref.size_bytes} bytes`);
        await this.#file?.writeFile(next.value);
        this.#count(next.value);
      }
    } finally {
      // Never awaited: a stalled body would not answer.
      chunks.return?.().catch(() => {});
    }
  }

  async finish(): Promise<void> {
    const sha256 = this.#hash.digest('hex');
    if (sha256 !== this.#ref.sha256) throw corrupt(this.#ref, `its SHA-256 is ${sha256}, not ${this.#ref.sha256}`);
    await this.#file?.sync();
    await this.close();
  }

  async close(): Promise<void> {
    await this.#file?.close().catch(() => {});
    this.#file = null;
  }

  #count(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.size_bytes += chunk.length;
  }
}

async function withinStallTime<T>(promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const stalled = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came for ${STALL_MS} ms`)), STALL_MS);
  });
  try {
    return await Promise.race([promise, stalled]);
  } finally {
    clearTimeout(timer);
  }
}
