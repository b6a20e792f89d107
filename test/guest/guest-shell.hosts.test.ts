import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BootedGuest, bootGuest } from './boot-guest.ts';
import { buildGuest } from './build-guest.ts';
import { runInGuest } from './guest-shell.ts';

const TEST_TIMEOUT_MS = 120_000;

describe('runInGuest', { timeout: TEST_TIMEOUT_MS }, () => {
  let guest: BootedGuest;
  beforeAll(async () => {
    guest = await bootGuest(await buildGuest(), 'kernel');
  }, TEST_TIMEOUT_MS);
  afterAll(() => guest.stop());

  it('waits for the guest to boot, then answers output and exit code', async () => {
    expect(await guest.run('echo out; echo err >&2; exit 3')).toEqual({ output: 'out\nerr\n', exitCode: 3 });
    expect(await guest.run("printf 'no newline'; cat")).toEqual({ output: 'no newline', exitCode: 0 });
    expect(await guest.run('true')).toEqual({ output: '', exitCode: 0 });
  });

  it('carries long commands, long output and any character', async () => {
    const long = 'é'.repeat(5_000);
    expect((await guest.run(`printf '%s' '${long}' | wc -c`)).output.trim()).toBe('10000');
    const lines = Array.from({ length: 5_000 }, (_, index) => `${index + 1}\n`).join('');
    expect((await guest.run('seq 1 5000')).output).toBe(lines);
  });

  it('is not held up by a broken command', async () => {
    expect((await guest.run("echo 'unterminated")).exitCode).toBe(2);
    expect((await guest.run('{ echo')).exitCode).toBe(2);
    expect(await guest.run('echo fine')).toEqual({ output: 'fine\n', exitCode: 0 });
  });

  it('gives up on a command that hangs, and the next caller finds a shell', async () => {
    await expect(guest.run('echo begun; sleep 1000', 1_000)).rejects.toThrow('timed out');
    expect((await guest.run('ps | grep -c "[s]leep 1000"')).output).toBe('0\n');
  });

  it('serves callers at the same time one after the other', async () => {
    const results = await Promise.all([1, 2, 3].map((number) => guest.run(`echo ${number}`)));
    expect(results.map(({ output }) => output)).toEqual(['1\n', '2\n', '3\n']);
  });
});

describe('runInGuest without a guest', () => {
  it('says that nothing was heard, or that nothing is there', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'guest-shell-'));
    const path = join(folder, 'mute');
    const server = createServer(() => {}).listen(path);
    try {
      await expect(runInGuest(path, 'true', { timeout_ms: 200 })).rejects.toThrow('timed out');
      await expect(runInGuest(join(folder, 'none'), 'true', { timeout_ms: 200 })).rejects.toThrow('ENOENT');
    } finally {
      server.close();
      await rm(folder, { recursive: true });
    }
  });
});
