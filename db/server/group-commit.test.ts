import { expect, test } from 'vitest';
import {
  batch,
  CLOSE,
  execute,
  openClient,
  openDatabase,
  openServer,
  pipeline,
  requestsRead,
  step,
} from './test-support.ts';

type Settled = PromiseSettledResult<unknown>['status'];

const statuses = (results: PromiseSettledResult<unknown>[]): Settled[] => results.map(({ status }) => status);

async function withTable(): Promise<Awaited<ReturnType<typeof openDatabase>>> {
  const client = await openDatabase();
  await client.executeMultiple('CREATE TABLE t (a UNIQUE, b); INSERT INTO t VALUES (1, 0)');
  return client;
}

test('one failing batch does not hurt its neighbours', async () => {
  const client = await withTable();
  const results = await Promise.allSettled(
    Array.from({ length: 60 }, (_, i) =>
      client.batch(
        [
          { sql: 'INSERT INTO t VALUES (?, 1)', args: [BigInt(100 + i)] },
          { sql: 'INSERT INTO t VALUES (?, 2)', args: [i % 3 === 0 ? 1n : BigInt(1_000 + i)] },
        ],
        'write',
      ),
    ),
  );
  expect(statuses(results)).toStrictEqual(
    Array.from({ length: 60 }, (_, i): Settled => (i % 3 === 0 ? 'rejected' : 'fulfilled')),
  );
  const rows = await client.execute('SELECT b, COUNT(*) AS n FROM t GROUP BY b ORDER BY b');
  expect(rows.rows).toMatchObject([
    { b: 0, n: 1 },
    { b: 1, n: 40 },
    { b: 2, n: 40 },
  ]);
});

test('ON CONFLICT ROLLBACK takes back only its own work', async () => {
  const client = await withTable();
  const insert = (a: number) => client.execute({ sql: 'INSERT INTO t VALUES (?, 1)', args: [BigInt(a)] });
  const results = await Promise.allSettled([
    insert(10),
    client.batch(['INSERT INTO t VALUES (20, 1)', 'INSERT OR ROLLBACK INTO t VALUES (1, 1)'], 'write'),
    insert(11),
    client.execute('INSERT OR ROLLBACK INTO t VALUES (1, 1)'),
    insert(12),
  ]);
  expect(statuses(results)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled', 'rejected', 'fulfilled']);
  expect(results[3]).toMatchObject({ reason: { message: expect.stringContaining('UNIQUE constraint failed: t.a') } });
  const rows = await client.execute('SELECT a FROM t ORDER BY a');
  expect(rows.rows.map(({ a }) => a)).toStrictEqual([1, 10, 11, 12]);
});

test('INSERT OR FAIL keeps what it did, OR IGNORE and OR REPLACE too', async () => {
  const client = await withTable();
  const results = await Promise.allSettled([
    client.execute('INSERT OR FAIL INTO t VALUES (5, 1), (1, 1), (6, 1)'),
    client.execute('INSERT OR IGNORE INTO t VALUES (1, 9), (7, 9)'),
    client.execute('INSERT OR REPLACE INTO t VALUES (7, 8)'),
  ]);
  expect(statuses(results)).toStrictEqual(['rejected', 'fulfilled', 'fulfilled']);
  const rows = await client.execute('SELECT a, b FROM t ORDER BY a');
  expect(rows.rows).toMatchObject([
    { a: 1, b: 0 },
    { a: 5, b: 1 },
    { a: 7, b: 8 },
  ]);
});

test('each sees what was written before it, and nothing of what failed', async () => {
  const client = await withTable();
  const results = await Promise.allSettled(
    Array.from({ length: 30 }, (_, i) =>
      client.batch(
        ['UPDATE t SET b = b + 1 WHERE a = 1', i % 2 === 0 ? 'SELECT b FROM t WHERE a = 1' : 'SELECT nope'],
        'write',
      ),
    ),
  );
  const seen = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value[1]?.rows[0]?.b] : []));
  expect(seen.toSorted((a, b) => Number(a) - Number(b))).toStrictEqual(Array.from({ length: 15 }, (_, i) => i + 1));
});

test('what is answered is there for every reader', async () => {
  const { url } = await openServer();
  const clients = Array.from({ length: 8 }, () => openClient(url));
  await clients[0]?.execute('CREATE TABLE t (a INTEGER PRIMARY KEY)');
  await Promise.all(
    clients.map(async (client, c) => {
      for (let i = 0; i < 20; i++) {
        const a = BigInt(c * 1_000 + i);
        await client.execute({ sql: 'INSERT INTO t VALUES (?)', args: [a] });
        const rs = await client.execute({ sql: 'SELECT a FROM t WHERE a = ?', args: [a] });
        expect(rs.rows.length).toBe(1);
      }
    }),
  );
});

test('a batch that leaves its transaction open keeps it on its stream, the rest of the group goes on', async () => {
  const { url } = await openServer();
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const never = { type: 'error', step: 0 };
  // While another holds the writer both of them queue, and so come into one group.
  const holder = await pipeline(url, [execute('BEGIN IMMEDIATE')]);
  const grouped = Promise.all([
    pipeline(url, [
      batch(step('INSERT INTO t VALUES (1)'), step('BEGIN'), step('INSERT INTO t VALUES (2)'), step('COMMIT', never)),
    ]),
    pipeline(url, [execute('INSERT INTO t VALUES (3)'), CLOSE]),
  ]);
  await requestsRead(url);
  await pipeline(url, [CLOSE], holder.baton);
  const [open] = await grouped;
  expect((await client.execute('SELECT a FROM t ORDER BY a')).rows.map(({ a }) => a)).toStrictEqual([1, 3]);
  const done = await pipeline(url, [execute('COMMIT'), CLOSE], open?.baton);
  expect(done.results[0]?.type).toBe('ok');
  await client.execute('INSERT INTO t VALUES (4)');
  expect((await client.execute('SELECT a FROM t ORDER BY a')).rows.map(({ a }) => a)).toStrictEqual([1, 2, 3, 4]);
});

test('transaction control out of place is refused as SQLite refuses it', async () => {
  const { url } = await openServer();
  const { results } = await pipeline(url, [
    execute('CREATE TABLE t (a)'),
    batch(
      step('INSERT INTO t VALUES (1)'),
      step('COMMIT'),
      step('BEGIN'),
      step('BEGIN'),
      step('ROLLBACK'),
      step('ROLLBACK'),
    ),
    execute('COMMIT'),
    CLOSE,
  ]);
  const stepErrors: ({ message: string } | null)[] = results[1]?.response.result.step_errors ?? [];
  const errors = stepErrors.map((error) => error?.message);
  const inactive = (verb: string) => `SQLite error: cannot ${verb} - no transaction is active`;
  expect(errors).toStrictEqual([
    undefined,
    inactive('commit'),
    undefined,
    'SQLite error: cannot start a transaction within a transaction',
    undefined,
    inactive('rollback'),
  ]);
  expect(results[2]?.error?.message).toBe(inactive('commit'));
});

test('savepoints of a client work, alone', async () => {
  const { url } = await openServer();
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  await client.batch(
    ['INSERT INTO t VALUES (1)', 'SAVEPOINT s', 'INSERT INTO t VALUES (2)', 'ROLLBACK TO s', 'RELEASE s'],
    'write',
  );
  expect((await client.execute('SELECT a FROM t')).rows).toMatchObject([{ a: 1 }]);
});

test('sequences and settings between grouped writes', async () => {
  const client = await withTable();
  const results = await Promise.allSettled([
    client.execute('INSERT INTO t VALUES (2, 1)'),
    client.executeMultiple('INSERT INTO t VALUES (3, 1); INSERT INTO t VALUES (3, 1); INSERT INTO t VALUES (4, 1)'),
    client.execute('PRAGMA user_version = 7'),
    client.execute('VACUUM'),
    client.execute('INSERT INTO t VALUES (5, 1)'),
  ]);
  expect(statuses(results)).toStrictEqual(['fulfilled', 'rejected', 'fulfilled', 'fulfilled', 'fulfilled']);
  expect((await client.execute('PRAGMA user_version')).rows).toMatchObject([{ user_version: 7 }]);
  expect((await client.execute('SELECT a FROM t ORDER BY a')).rows.map(({ a }) => a)).toStrictEqual([1, 2, 3, 5]);
});
