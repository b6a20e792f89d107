import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { ImageRef } from '../../../shared/specs/server.ts';
import { id } from '../../testing/specs.ts';
import { downloadImage, type FetchImage } from './download.ts';

vi.mock('../../host/wait.ts', () => ({ pause: async () => {} }));

const content = Buffer.from(Array.from({ length: 10_000 }, (_, index) => index % 251));
const ref: ImageRef = {
  id: id(1),
  sha256: createHash('sha256').update(content).digest('hex'),
  size_bytes: content.length,
  disk_format: 'raw',
};
const log = { debug() {}, info() {}, warn() {}, error() {}, with: () => log };
const { signal } = new AbortController();
let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aerodownload-'));
  path = join(folder, 'image.part');
});
afterEach(() => rm(folder, { recursive: true }));

/** Serves pieces of the content; a piece that is an error breaks the line. */
function fetcher(...answers: ((fromByte: number) => (Buffer | Error)[])[]): FetchImage & { from: number[] } {
  const from: number[] = [];
  const fetchImage = async (_: string, fromByte: number) => {
    from.push(fromByte);
    const pieces = answers[Math.min(from.length, answers.length) - 1]?.(fromByte) ?? [];
    return {
      body: (async function* () {
        for (const piece of pieces) {
          if (piece instanceof Error) throw piece;
          yield piece;
        }
      })(),
    };
  };
  return Object.assign(fetchImage, { from });
}
const rest = (fromByte: number) => [content.subarray(fromByte)];

it('downloads and verifies', async () => {
  await downloadImage(ref, path, fetcher(rest), log, signal);
  expect(await readFile(path)).toEqual(content);
});

it('goes on where the line broke, or where the last process died', async () => {
  const fetchImage = fetcher(
    () => [content.subarray(0, 100), new Error('reset')],
    (from) => [content.subarray(from, from + 7)],
    () => {
      throw new Error('refused');
    },
    rest,
  );
  await downloadImage(ref, path, fetchImage, log, signal);
  expect(fetchImage.from).toEqual([0, 100, 107, 107]);
  expect(await readFile(path)).toEqual(content);
  await writeFile(path, content.subarray(0, 5_000));
  const again = fetcher(rest);
  await downloadImage(ref, path, again, log, signal);
  expect(again.from).toEqual([5_000]);
});

it('keeps what came when the edge stays away, and says so', async () => {
  const fetchImage = fetcher(
    () => [content.subarray(0, 100), new Error('reset')],
    () => [new Error('reset')],
  );
  const failed = downloadImage(ref, path, fetchImage, log, signal);
  await expect(failed).rejects.toMatchObject({ fault: { code: 503, message: expect.stringContaining('reset') } });
  expect(await readFile(path)).toEqual(content.subarray(0, 100));
});

it('removes what is wrong: other bytes, too many, an old part of something else', async () => {
  await expect(
    downloadImage(
      ref,
      path,
      fetcher(() => [Buffer.alloc(content.length)]),
      log,
      signal,
    ),
  ).rejects.toThrow('corrupt');
  expect(await readdir(folder)).toEqual([]);
  await expect(
    downloadImage(
      ref,
      path,
      fetcher(() => [content, Buffer.alloc(1)]),
      log,
      signal,
    ),
  ).rejects.toThrow('more than its');
  expect(await readdir(folder)).toEqual([]);
  await writeFile(path, Buffer.alloc(500));
  await expect(downloadImage(ref, path, fetcher(rest), log, signal)).rejects.toThrow('corrupt');
  await writeFile(path, Buffer.alloc(content.length + 1));
  await downloadImage(ref, path, fetcher(rest), log, signal);
  expect(await readFile(path)).toEqual(content);
});

it('stops when it is called off, and keeps what came', async () => {
  const callOff = new AbortController();
  const fetchImage = fetcher(() => {
    setImmediate(() => callOff.abort());
    return [content.subarray(0, 100), content.subarray(100, 200)];
  }, rest);
  const failed = downloadImage(ref, path, fetchImage, log, callOff.signal);
  await expect(failed).rejects.toMatchObject({ fault: { code: 503 } });
  await downloadImage(ref, path, fetcher(rest), log, signal);
  expect(await readFile(path)).toEqual(content);
});

it('takes an empty image', async () => {
  const empty = { ...ref, size_bytes: 0, sha256: createHash('sha256').digest('hex') };
  await downloadImage(empty, path, fetcher(), log, signal);
  expect(await readFile(path)).toEqual(Buffer.alloc(0));
});
