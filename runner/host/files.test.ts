import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { withFileLock } from './file-lock.ts';
import { listFolder, makeFolder, readTextIfThere, writeFileAtomic } from './files.ts';
import { identify } from './processes.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aerofiles-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('replaces a file whole, with its mode, and leaves no temporary behind', async () => {
  const path = join(folder, 'file');
  await writeFileAtomic(path, 'one', 0o640);
  await Promise.all(Array.from({ length: 20 }, (_, index) => writeFileAtomic(path, `text ${index}`, 0o640)));
  expect(await readTextIfThere(path)).toMatch(/^text \d+$/);
  expect((await stat(path)).mode & 0o777).toBe(0o640);
  expect(await readdir(folder)).toEqual(['file']);
});

it('leaves the old file and no temporary when it cannot write', async () => {
  await expect(writeFileAtomic(join(folder, 'none', 'file'), 'text')).rejects.toThrow('ENOENT');
  expect(await readdir(folder)).toEqual([]);
});

it('takes what is not there for nothing', async () => {
  expect(await readTextIfThere(join(folder, 'none'))).toBe(null);
  expect(await listFolder(join(folder, 'none'))).toEqual([]);
});

it('makes folders with their mode, whatever the mask, and leaves others alone', async () => {
  const mask = process.umask(0o077);
  try {
    await makeFolder(join(folder, 'a', 'b'), 0o755);
    await makeFolder(join(folder, 'a'), 0o700);
  } finally {
    process.umask(mask);
  }
  expect((await stat(join(folder, 'a'))).mode & 0o777).toBe(0o755);
  expect((await stat(join(folder, 'a', 'b'))).mode & 0o777).toBe(0o755);
});

it('locks out the living and takes over from the dead', async () => {
  const path = join(folder, 'lock');
  const inside = await withFileLock(path, () => withFileLock(path, async () => 'never'));
  expect(inside).toEqual({ value: null });
  await writeFile(path, JSON.stringify({ ...(await identify(process.pid)), startTicks: 1 }));
  expect(await withFileLock(path, async () => 'mine')).toEqual({ value: 'mine' });
  expect(await readdir(folder)).toEqual([]);
});
