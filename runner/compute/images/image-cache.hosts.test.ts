import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { systemTimers } from '../../../shared/clock.ts';
import type { ImageRef } from '../../../shared/specs/server.ts';
import { capturedLog } from '../../testing/captured-log.ts';
import { id } from '../../testing/specs.ts';
import { temporaryFolder } from '../../testing/temporary-folder.ts';
import type { FetchImage } from './download.ts';
import { ImageCache } from './image-cache.ts';

const content = Buffer.from('an image');
const sha256 = createHash('sha256').update(content).digest('hex');
const ref: ImageRef = { id: id(1), sha256, size_bytes: content.length, disk_format: 'raw' };
const { signal } = new AbortController();

/** A cache that fetches from the bytes given; `fetched` counts how often. */
function cacheOf(bytes: AsyncIterable<Buffer> | Iterable<Buffer>) {
  const folder = temporaryFolder();
  const seen = { fetched: 0 };
  const fetchImage: FetchImage = async () => {
    seen.fetched++;
    return {
      body: (async function* () {
        yield* bytes;
      })(),
    };
  };
  const cache = new ImageCache({
    folder: join(folder, 'images'),
    fetchImage,
    bytesMax: 1024,
    gid: 0,
    clock: systemTimers,
    log: capturedLog(),
  });
  return { folder, seen, cache, path: join(folder, 'images', sha256) };
}

it('has an image here before a guest needs it, and fetches it once', async () => {
  const { folder, seen, cache, path } = cacheOf([content]);
  await cache.prefetch(ref, signal);
  expect(await readFile(path)).toEqual(content);
  await cache.prefetch(ref, signal);
  const disk = join(folder, 'base');
  await cache.place(ref, disk, signal);
  expect((await stat(disk)).ino).toBe((await stat(path)).ino);
  expect(seen.fetched).toBe(1);
});

it('keeps nothing of an image that is not what it should be', async () => {
  const { cache, path } = cacheOf([Buffer.from('no image')]);
  await expect(cache.prefetch(ref, signal)).rejects.toThrow('is corrupt');
  await expect(stat(path)).rejects.toThrow('ENOENT');
});

it('gives up when it is called off', async () => {
  const calledOff = new AbortController();
  const { cache, path } = cacheOf(
    (async function* () {
      calledOff.abort();
      yield content.subarray(0, 1);
      yield await new Promise<Buffer>(() => {});
    })(),
  );
  await expect(cache.prefetch(ref, calledOff.signal)).rejects.toThrow('no longer wanted');
  await expect(stat(path)).rejects.toThrow('ENOENT');
});
