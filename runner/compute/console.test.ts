import { appendFile, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { CONSOLE_BYTES_MAX } from '../../shared/limits.ts';
import { boundConsole, readConsole } from './console.ts';

let folder: string;
let path: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'aeroconsole-'));
  path = join(folder, 'console.log');
});
afterEach(() => rm(folder, { recursive: true }));

it('answers whole, by lines, or with nothing', async () => {
  expect(await readConsole(path, null)).toBe('');
  await writeFile(path, 'one\r\ntwo\r\nthree\r\n');
  expect(await readConsole(path, null)).toBe('one\ntwo\nthree\n');
  expect(await readConsole(path, 2)).toBe('two\nthree');
  expect(await readConsole(path, 9)).toBe('one\ntwo\nthree');
  expect(await readConsole(path, 0)).toBe('');
  await writeFile(path, 'login: ');
  expect(await readConsole(path, 1)).toBe('login: ');
});

it('gives back the space of the beginning and keeps the end, while the log is written', async () => {
  await writeFile(path, Buffer.alloc(5 * CONSOLE_BYTES_MAX, 'x'));
  await appendFile(path, 'end one\n');
  await boundConsole(path);
  expect((await stat(path)).blocks * 512).toBeLessThanOrEqual(CONSOLE_BYTES_MAX + 8192);
  await appendFile(path, 'end two\n');
  const text = await readConsole(path, null);
  expect(text.length).toBe(CONSOLE_BYTES_MAX);
  expect(text.endsWith('end one\nend two\n')).toBe(true);
  expect(text).not.toContain('\0');
  expect(await readConsole(path, 1)).toBe('end two');
});

it('leaves a short log, and one that is not there, alone', async () => {
  await boundConsole(path);
  await writeFile(path, 'short');
  await boundConsole(path);
  expect(await readConsole(path, null)).toBe('short');
});
