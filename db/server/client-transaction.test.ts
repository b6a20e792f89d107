import type { Client } from '@libsql/client/web';
import { expect, test } from 'vitest';
import { openClient, openDatabase, openServer } from './test-support.ts';

async function withTable(column = 'a'): Promise<Client> {
  const client = await openDatabase();
  await client.execute(`CREATE TABLE t (${column})`);
  return client;
}

async function count(client: Client): Promise<unknown> {
  return (await client.execute('SELECT COUNT(*) AS n FROM t')).rows[0]?.n;
}

test('commit()', async () => {
  const client = await withTable();
  const transaction = await client.transaction('write');
  await transaction.execute("INSERT INTO t VALUES ('one')");
  await transaction.execute("INSERT INTO t VALUES ('two')");
  expect(await count(client)).toBe(0);
  await transaction.commit();
  expect(transaction.closed).toBe(true);
  expect(await count(client)).toBe(2);
  await expect(transaction.execute('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
});

test.each(['rollback', 'close'] as const)('%s()', async (how) => {
  const client = await withTable();
  const transaction = await client.transaction('write');
  await transaction.execute("INSERT INTO t VALUES ('one')");
  await transaction[how]();
  expect(transaction.closed).toBe(true);
  await expect(transaction.execute('SELECT 1')).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
  await client.execute("INSERT INTO t VALUES ('after')");
  expect(await count(client)).toBe(1);
});

test('an error does not roll back', async () => {
  const client = await withTable();
  const transaction = await client.transaction('write');
  await expect(transaction.execute('SELECT foo')).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  await transaction.execute("INSERT INTO t VALUES ('one')");
  await expect(transaction.execute('SELECT bar')).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  await transaction.commit();
  expect(await count(client)).toBe(1);
});

test('OR ROLLBACK ends the transaction', async () => {
  const client = await withTable('a UNIQUE');
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1), (2), (3)');
  await expect(transaction.execute('INSERT OR ROLLBACK INTO t VALUES (1)')).rejects.toMatchObject({
    code: 'SQLITE_CONSTRAINT',
  });
  await expect(transaction.commit()).rejects.toThrow('no transaction is active');
  expect(await count(client)).toBe(0);
});

test('empty ones', async () => {
  const client = await withTable();
  await (await client.transaction('read')).commit();
  await (await client.transaction('read')).rollback();
  (await client.transaction('write')).close();
  expect(await count(client)).toBe(0);
});

test('batch() first and second, with an error in the second', async () => {
  const client = await withTable('a UNIQUE');
  const transaction = await client.transaction('write');
  await transaction.batch(['INSERT INTO t VALUES (1)', { sql: 'INSERT INTO t VALUES (?)', args: [2] }]);
  await expect(
    transaction.batch(['INSERT INTO t VALUES (4)', 'INSERT INTO t VALUES (1)', 'INSERT INTO t VALUES (8)']),
  ).rejects.toMatchObject({ name: 'LibsqlBatchError', statementIndex: 1 });
  expect((await transaction.execute('SELECT SUM(a) AS sum FROM t')).rows).toMatchObject([{ sum: 7 }]);
  await transaction.commit();
  expect(await count(client)).toBe(3);
});

test('executeMultiple() stops at an error and leaves the transaction open', async () => {
  const client = await openDatabase();
  const transaction = await client.transaction('write');
  await transaction.executeMultiple('CREATE TABLE t (a UNIQUE); INSERT INTO t VALUES (1), (2);');
  await expect(
    transaction.executeMultiple('INSERT INTO t VALUES (4); INSERT INTO t VALUES (1); INSERT INTO t VALUES (8);'),
  ).rejects.toMatchObject({ code: 'SQLITE_CONSTRAINT' });
  expect((await transaction.execute('SELECT SUM(a) AS sum FROM t')).rows).toMatchObject([{ sum: 7 }]);
  await transaction.commit();
  expect(await count(client)).toBe(3);
});

test('a read transaction keeps its snapshot and cannot write, while others write', async () => {
  const client = await withTable();
  const reading = await client.transaction('read');
  expect((await reading.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 0 }]);
  await client.execute('INSERT INTO t VALUES (1)');
  expect((await reading.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 0 }]);
  await expect(reading.execute('INSERT INTO t VALUES (2)')).rejects.toMatchObject({ code: 'SQLITE_READONLY' });
  await reading.commit();
  expect(await count(client)).toBe(1);
});

test('writers wait for an open write transaction, readers do not', async () => {
  const { url } = await openServer();
  const [holder, other] = [openClient(url), openClient(url)];
  await holder.execute('CREATE TABLE t (a)');
  const order: string[] = [];
  const transaction = await holder.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  const writes = [other.execute('INSERT INTO t VALUES (2)'), other.batch(['INSERT INTO t VALUES (3)'], 'write')].map(
    (write) => write.then(() => order.push('write')),
  );
  expect(await count(other)).toBe(0);
  order.push('commit');
  await transaction.commit();
  await Promise.all(writes);
  expect(order).toStrictEqual(['commit', 'write', 'write']);
  expect(await count(other)).toBe(3);
});

test('interactive transactions take turns', async () => {
  const client = await withTable();
  await client.execute('INSERT INTO t VALUES (0)');
  const increment = async () => {
    const transaction = await client.transaction('write');
    const rs = await transaction.execute('SELECT a FROM t');
    await transaction.execute({ sql: 'UPDATE t SET a = ?', args: [BigInt(Number(rs.rows[0]?.a) + 1)] });
    await transaction.commit();
  };
  await Promise.all(Array.from({ length: 20 }, increment));
  expect((await client.execute('SELECT a FROM t')).rows).toMatchObject([{ a: 20 }]);
});

test('a change of the schema seen only inside a transaction that is rolled back', async () => {
  const client = await withTable();
  const transaction = await client.transaction('write');
  await transaction.execute('ALTER TABLE t ADD COLUMN b');
  expect((await transaction.execute('SELECT * FROM t')).columns).toStrictEqual(['a', 'b']);
  expect((await client.execute('SELECT * FROM t')).columns).toStrictEqual(['a']);
  await transaction.rollback();
  expect((await client.execute('SELECT * FROM t')).columns).toStrictEqual(['a']);
  expect((await client.execute('DELETE FROM t RETURNING *')).columns).toStrictEqual(['a']);
});
