import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import type { Client } from '@libsql/client/web';
import { expect, onTestFinished, test } from 'vitest';
import { openClient, TOKEN, temporaryDirectory, until } from './test-support.ts';

const MAIN = join(import.meta.dirname, 'main.ts');

function run(...args: string[]): ChildProcessWithoutNullStreams {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { AEROSTAT_DB_TOKEN: TOKEN } });
  onTestFinished(() => void child.kill('SIGKILL'));
  return child;
}

async function output(
  child: ChildProcessWithoutNullStreams,
): Promise<{ code: number; stdout: string; stderr: string }> {
  const exit = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [code] = await exit;
  return { code, stdout, stderr };
}

async function serve(
  file: string,
  address = '127.0.0.1:0',
): Promise<{ child: ChildProcessWithoutNullStreams; url: string }> {
  const child = run('--file', file, '--listen', address);
  for await (const line of createInterface({ input: child.stdout })) {
    const ready = JSON.parse(line) as { ready: boolean; url: string };
    expect(ready.ready).toBe(true);
    return { child, url: ready.url };
  }
  throw new Error(`no ready line: ${await text(child.stderr)}`);
}

async function kill(child: ChildProcessWithoutNullStreams, signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
  const exit = once(child, 'exit');
  child.kill(signal);
  return (await exit)[0];
}

/** Write with several clients until the server is gone; what was answered, and what was refused, is kept. */
async function hammer(clients: Client[], round: number, answered: Set<number>): Promise<void> {
  await Promise.all(
    clients.map(async (client, c) => {
      for (let i = 0; ; i++) {
        const id = round * 10_000_000 + c * 100_000 + i;
        try {
          if (i % 3 === 0) await client.execute({ sql: 'INSERT INTO t VALUES (?, 1)', args: [BigInt(id)] });
          else if (i % 3 === 1) {
            const row = (n: number) => ({
              sql: 'INSERT INTO t VALUES (?, ?)',
              args: [BigInt(id + n * 50_000), BigInt(2)],
            });
            await client.batch([row(0), row(1)], 'write');
          } else {
            const transaction = await client.transaction('write');
            await transaction.execute({ sql: 'INSERT INTO t VALUES (?, 1)', args: [BigInt(id)] });
            await transaction.commit();
          }
        } catch {
          return;
        }
        answered.add(id);
      }
    }),
  );
}

test('killed under load again and again, it loses nothing that was answered and leaves no lock', async () => {
  const file = join(temporaryDirectory(), 'killed.db');
  const answered = new Set<number>();
  for (let round = 0; round < 5; round++) {
    const { child, url } = await serve(file);
    const clients = Array.from({ length: 8 }, () => openClient(url));
    await clients[0]?.execute('CREATE TABLE IF NOT EXISTS t (id INTEGER PRIMARY KEY, kind INTEGER)');
    const before = answered.size;
    const hammered = hammer(clients, round, answered);
    await until(() => answered.size > before + 300 + round * 37);
    await kill(child, 'SIGKILL');
    await hammered;
  }
  const { child, url } = await serve(file);
  const client = openClient(url);
  const ids = new Set((await client.execute('SELECT id FROM t')).rows.map(({ id }) => Number(id)));
  expect([...answered].filter((id) => !ids.has(id))).toStrictEqual([]);
  const halves = await client.execute('SELECT COUNT(*) AS n FROM t WHERE kind = 2');
  expect(Number(halves.rows[0]?.n) % 2).toBe(0);
  expect((await client.execute('PRAGMA integrity_check')).rows).toMatchObject([{ integrity_check: 'ok' }]);
  expect(await kill(child, 'SIGTERM')).toBe(0);
});

test('SIGTERM under load: what was answered is in the file, the WAL is folded back, the exit is 0', async () => {
  const file = join(temporaryDirectory(), 'stopped.db');
  const { child, url } = await serve(file);
  const clients = Array.from({ length: 8 }, () => openClient(url));
  await clients[0]?.execute('CREATE TABLE t (id INTEGER PRIMARY KEY, kind INTEGER)');
  const answered = new Set<number>();
  const hammered = hammer(clients, 0, answered);
  await until(() => answered.size > 200);
  expect(await kill(child, 'SIGTERM')).toBe(0);
  await hammered;
  expect(existsSync(`${file}-wal`) ? statSync(`${file}-wal`).size : 0).toBe(0);
  const again = await serve(file);
  const rows = (await openClient(again.url).execute('SELECT id FROM t')).rows;
  const ids = new Set(rows.map(({ id }) => Number(id)));
  expect([...answered].filter((id) => !ids.has(id))).toStrictEqual([]);
});

test('a second server on the same file says why it ends, by whatever name the file goes', async () => {
  const directory = temporaryDirectory();
  const file = join(directory, 'one.db');
  const { url } = await serve(file);
  for (const name of [file, join(directory, '..', directory.split('/').at(-1) ?? '', 'one.db')]) {
    const { code, stdout, stderr } = await output(run('--file', name));
    expect([code, stdout]).toStrictEqual([1, '']);
    expect(stderr).toMatch(/one\.db is served by another process[^\n]*\n$/);
  }
  expect((await openClient(url).execute('SELECT 1 AS a')).rows).toMatchObject([{ a: 1 }]);
});

test('a unix socket, taken over from a killed server', async () => {
  const directory = temporaryDirectory();
  const path = join(directory, 'db.sock');
  const first = await serve(join(directory, 'a.db'), `unix:${path}`);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  const taken = await output(run('--file', join(directory, 'b.db'), '--listen', `unix:${path}`));
  expect([taken.code, taken.stderr]).toStrictEqual([1, `${path} is in use by another process\n`]);
  await kill(first.child, 'SIGKILL');
  const second = await serve(join(directory, 'a.db'), `unix:${path}`);
  expect(second.url).toBe(`unix:${path}`);
  expect(await kill(second.child, 'SIGTERM')).toBe(0);
});

test('--help, and arguments that are wrong', async () => {
  const help = await output(run('--help'));
  expect([help.code, help.stderr]).toStrictEqual([0, '']);
  expect(help.stdout).toContain('--listen ADDRESS');
  const file = join(temporaryDirectory(), 'x.db');
  const wrong: [string[], string][] = [
    [[], '--file is missing'],
    [['--file', file, '--listen', '0.0.0.0:1'], 'Cannot listen on'],
    [['--file', file, '--listen', '127.0.0.1:65536'], 'Cannot listen on'],
    [['--file', file, '--token-file', '/nowhere'], 'ENOENT'],
    [['--file', file, '--unknown'], "Unknown option '--unknown'"],
  ];
  for (const [args, message] of wrong) {
    const { code, stderr } = await output(run(...args));
    expect([code, stderr]).toStrictEqual([1, expect.stringContaining(message)]);
  }
});
