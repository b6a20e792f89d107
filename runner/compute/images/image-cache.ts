import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, chown, link, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../../shared/clock.ts';
import type { ImageRef } from '../../../shared/specs/server.ts';
import { DriverError } from '../../driver.ts';
import {
  freeBytes,
  listFolder,
  makeFolder,
  readTextIfThere,
  statIfThere,
  syncFolder,
  writeFileAtomic,
} from '../../host/files.ts';
import type { Log } from '../../log.ts';
import { downloadImage, type FetchImage, noSpace } from './download.ts';

/** Left free when an image comes, so that running guests can go on writing. */
const FREE_BYTES_MIN = 64 * 1024 * 1024;
const IMAGE_MODE = 0o440;
const PART_END = '.part';
const NOTE_END = '.json';

/** What is known of a verified file: while it looks the same it is not read again. */
const note = z.object({ size: z.number(), mtimeMs: z.number(), ino: z.number(), used_at_ms: z.number() });
type Note = z.infer<typeof note>;

/** Images by their SHA-256, shared by guests through hard links: what a guest uses stays, whatever the cache drops. */
export class ImageCache {
  readonly #folder: string;
  readonly #fetchImage: FetchImage;
  readonly #bytesMax: number;
  readonly #gid: number;
  readonly #clock: Clock;
  readonly #log: Log;
  /** One download a content, however many guests wait for it; it is called off when none does any more. */
  readonly #fetching = new Map<string, { done: Promise<void>; callOff: AbortController }>();
  /** Contents that somebody is about to link. */
  readonly #wanted = new Map<string, number>();

  constructor(options: {
    folder: string;
    fetchImage: FetchImage;
    /** The cache keeps at most this much that no guest uses. */
    bytesMax: number;
    /** Who may read images, beside root. */
    gid: number;
    clock: Clock;
    log: Log;
  }) {
    this.#folder = options.folder;
    this.#fetchImage = options.fetchImage;
    this.#bytesMax = options.bytesMax;
    this.#gid = options.gid;
    this.#clock = options.clock;
    this.#log = options.log;
  }

  /**
   * Puts a verified image at a path of the same file system, fetching it when it is not here or not what it was.
   * @throws DriverError no space, corrupt, or not to be had; and when the signal fires
   */
  async place(ref: ImageRef, target: string, signal: AbortSignal): Promise<void> {
    await this.#having(ref, signal, () => this.#link(ref.sha256, target));
  }

  /**
   * Has a verified image here before a guest needs it; it goes again as others do that no guest uses.
   * @throws DriverError as `place`
   */
  async prefetch(ref: ImageRef, signal: AbortSignal): Promise<void> {
    await this.#having(ref, signal, async () => {});
  }

  async #having(ref: ImageRef, signal: AbortSignal, use: () => Promise<void>): Promise<void> {
    const { sha256 } = ref;
    this.#wanted.set(sha256, (this.#wanted.get(sha256) ?? 0) + 1);
    try {
      await unlessCalledOff(this.#fetch(ref), signal);
      await use();
    } finally {
      const others = (this.#wanted.get(sha256) ?? 1) - 1;
      if (others > 0) this.#wanted.set(sha256, others);
      else {
        this.#wanted.delete(sha256);
        this.#fetching.get(sha256)?.callOff.abort();
      }
    }
  }

  #fetch(ref: ImageRef): Promise<void> {
    const known = this.#fetching.get(ref.sha256);
    if (known && !known.callOff.signal.aborted) return known.done;
    const callOff = new AbortController();
    // One that was called off lets go of its file first.
    const before = known?.done.catch(() => {}) ?? Promise.resolve();
    const done = before
      .then(() => this.#provide(ref, callOff.signal))
      .finally(() => {
        if (this.#fetching.get(ref.sha256)?.callOff === callOff) this.#fetching.delete(ref.sha256);
      });
    // Whoever waited may be gone when it fails.
    done.catch(() => {});
    this.#fetching.set(ref.sha256, { done, callOff });
    return done;
  }

  /** Drops what no guest uses, the longest unused first, until the rest fits the limit with `extraBytes` more. */
  async evict(extraBytes = 0): Promise<void> {
    const idle: { sha256: string; size: number; used_at_ms: number }[] = [];
    for (const sha256 of (await listFolder(this.#folder)).filter((name) => /^[0-9a-f]{64}$/.test(name))) {
      const file = await statIfThere(join(this.#folder, sha256));
      if (!file || Number(file.nlink) > 1 || this.#wanted.has(sha256)) continue;
      idle.push({ sha256, size: Number(file.size), used_at_ms: (await this.#readNote(sha256))?.used_at_ms ?? 0 });
    }
    idle.sort((a, b) => a.used_at_ms - b.used_at_ms);
    let kept = idle.reduce((sum, image) => sum + image.size, 0);
    for (const { sha256, size } of idle) {
      const fits = kept + extraBytes <= this.#bytesMax;
      if (fits && (await freeBytes(this.#folder)) >= extraBytes + FREE_BYTES_MIN) return;
      await this.#drop(sha256);
      kept -= size;
    }
  }

  async #provide(ref: ImageRef, signal: AbortSignal): Promise<void> {
    await makeFolder(this.#folder);
    const path = join(this.#folder, ref.sha256);
    if (!(await this.#isGood(ref))) {
      await this.#drop(ref.sha256);
      const part = `${path}${PART_END}`;
      const missing = ref.size_bytes - Number((await statIfThere(part))?.size ?? 0);
      await this.evict(missing);
      if ((await freeBytes(this.#folder)) < missing) {
        await rm(part, { force: true });
        throw noSpace(ref);
      }
      await downloadImage(ref, part, this.#fetchImage, this.#log, signal);
      await chown(part, 0, this.#gid);
      await chmod(part, IMAGE_MODE);
      await rename(part, path);
      await syncFolder(this.#folder);
    }
    await this.#writeNote(ref.sha256);
  }

  /** Whether the file is there and what it should be: read in full unless it looks as it did when last verified. */
  async #isGood(ref: ImageRef): Promise<boolean> {
    const file = await statIfThere(join(this.#folder, ref.sha256));
    if (!file || Number(file.size) !== ref.size_bytes) return false;
    const known = await this.#readNote(ref.sha256);
    if (known && known.mtimeMs === Number(file.mtimeMs) && known.ino === Number(file.ino)) return true;
    const hash = createHash('sha256');
    for await (const chunk of createReadStream(join(this.#folder, ref.sha256))) hash.update(chunk as Buffer);
    if (hash.digest('hex') === ref.sha256) return true;
    this.#log.error('cached-image-corrupt', { image: ref.id, remedy: 'fetching it anew' });
    return false;
  }

  async #link(sha256: string, target: string): Promise<void> {
    const path = join(this.#folder, sha256);
    const [cached, there] = await Promise.all([statIfThere(path), statIfThere(target)]);
    if (there && there.ino === cached?.ino) return;
    await rm(`${target}.new`, { force: true });
    await link(path, `${target}.new`);
    await rename(`${target}.new`, target);
  }

  async #drop(sha256: string): Promise<void> {
    await rm(join(this.#folder, sha256), { force: true });
    await rm(join(this.#folder, `${sha256}${NOTE_END}`), { force: true });
  }

  async #readNote(sha256: string): Promise<Note | null> {
    const text = await readTextIfThere(join(this.#folder, `${sha256}${NOTE_END}`));
    if (text === null) return null;
    try {
      return note.parse(JSON.parse(text));
    } catch {
      return null;
    }
  }

  async #writeNote(sha256: string): Promise<void> {
    const file = await statIfThere(join(this.#folder, sha256));
    if (!file) return;
    const known: Note = {
      size: Number(file.size),
      mtimeMs: Number(file.mtimeMs),
      ino: Number(file.ino),
      used_at_ms: this.#clock.nowMs(),
    };
    await writeFileAtomic(join(this.#folder, `${sha256}${NOTE_END}`), JSON.stringify(known));
  }
}

async function unlessCalledOff(work: Promise<void>, signal: AbortSignal): Promise<void> {
  let stop = () => {};
  const calledOff = new Promise<never>((_, reject) => {
    stop = () => reject(new DriverError('The image is no longer wanted', { code: 503 }));
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop);
  });
  try {
    await Promise.race([work, calledOff]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}
