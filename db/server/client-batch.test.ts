import { expect, test } from 'vitest';
import { openDatabase } from './test-support.ts';

test('multiple queries', async () => {
  const client = await openDatabase();
  const results = await client.batch(
    ['SELECT 1+1', 'SELECT 1 AS one, 2 AS two', { sql: 'VALUES (?), (?)', args: ['big', 'ben'] }],
    'read',
  );
  expect(results.map(({ rows }) => rows.map((row) => Array.from(row as ArrayLike<unknown>)))).toStrictEqual([
    [[2]],
    [[1, 2]],
    [['big'], ['ben']],
  ]);
});

test.each(['write', 'deferred'] as const)('statements of a %s batch run one after another', async (mode) => {
  const client = await openDatabase();
  const results = await client.batch(
    [
      'DROP TABLE IF EXISTS t',
      'CREATE TABLE t (a, b)',
      "INSERT INTO t VALUES (1, 'one')",
      'SELECT * FROM t ORDER BY a',
      "INSERT INTO t VALUES (2, 'two') RETURNING a * 2 AS d",
      'SELECT * FROM t ORDER BY a',
      'DROP TABLE t',
    ],
    mode,
  );
  expect(results.length).toBe(7);
  expect(results[3]?.rows).toMatchObject([{ a: 1, b: 'one' }]);
  expect(results[4]?.rows).toMatchObject([{ d: 4 }]);
  expect(results[5]?.rows).toMatchObject([
    { a: 1, b: 'one' },
    { a: 2, b: 'two' },
  ]);
});

test('each batch of many at once is a transaction', async () => {
  const client = await openDatabase();
  await client.batch(['CREATE TABLE t1 (a)', 'CREATE TABLE t2 (a)'], 'write');
  const count = 100;
  const one = async (i: number) => {
    const results = await client.batch(
      [
        { sql: 'INSERT INTO t1 VALUES (?)', args: [i] },
        { sql: 'INSERT INTO t2 VALUES (?)', args: [i * 10] },
        'SELECT SUM(a) AS sum FROM t1',
        'SELECT SUM(a) AS sum FROM t2',
      ],
      'write',
    );
    expect(results[3]?.rows[0]?.sum).toBe(Number(results[2]?.rows[0]?.sum) * 10);
  };
  await Promise.all(Array.from({ length: count }, (_, i) => one(i)));
  const sum = await client.execute('SELECT (SELECT SUM(a) FROM t1) AS one, (SELECT SUM(a) FROM t2) AS two');
  expect(sum.rows).toMatchObject([{ one: (count * (count - 1)) / 2, two: ((count * (count - 1)) / 2) * 10 }]);
});

test.each([0, 1, 2])('an error at statement %i is reported with its index', async (index) => {
  const client = await openDatabase();
  const statements = ['SELECT 1', 'SELECT 2', 'SELECT 3'].with(index, 'SELECT invalid_column');
  for (const mode of ['read', 'write', 'deferred'] as const) {
    await expect(client.batch(statements, mode)).rejects.toMatchObject({
      name: 'LibsqlBatchError',
      statementIndex: index,
      code: 'SQLITE_ERROR',
    });
  }
});

test('an error rolls the whole batch back, its schema too', async () => {
  const client = await openDatabase();
  await client.batch(['CREATE TABLE t (a UNIQUE)', 'INSERT INTO t VALUES (1)'], 'write');
  await expect(
    client.batch(['INSERT INTO t VALUES (2)', 'CREATE TABLE u (a)', 'INSERT INTO t VALUES (1)', 'SELECT 1'], 'write'),
  ).rejects.toMatchObject({ statementIndex: 2, code: 'SQLITE_CONSTRAINT' });
  expect((await client.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 1 }]);
  await expect(client.execute('SELECT * FROM u')).rejects.toThrow('no such table: u');
});

test('a read batch cannot write', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (a)');
  await expect(client.batch(['SELECT 1', 'INSERT INTO t VALUES (1)'], 'read')).rejects.toMatchObject({
    statementIndex: 1,
    code: 'SQLITE_READONLY',
  });
  expect((await client.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 0 }]);
});

test('a batch ended by its own ROLLBACK leaves nothing and says so', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (a)');
  await expect(client.batch(['INSERT INTO t VALUES (1), (2)', 'ROLLBACK'], 'write')).rejects.toMatchObject({
    message: expect.stringContaining('cannot commit - no transaction is active'),
  });
  expect((await client.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 0 }]);
});

test('a lot of different statements, and a lot of the same', async () => {
  const client = await openDatabase();
  const different = await client.batch(
    Array.from({ length: 1_000 }, (_, i) => `SELECT ${i} AS i`),
    'read',
  );
  expect(different.map(({ rows }) => rows[0]?.i)).toStrictEqual(Array.from({ length: 1_000 }, (_, i) => i));
  const same = await client.batch(
    Array.from({ length: 4_000 }, (_, i) => ({ sql: `SELECT ? AS i, ${i % 200} AS j`, args: [i] })),
    'read',
  );
  expect(same.every(({ rows }, i) => rows[0]?.i === i && rows[0]?.j === i % 200)).toBe(true);
});

test('a deferred foreign key is checked at the end of the batch that broke it', async () => {
  const client = await openDatabase();
  await client.executeMultiple(`
    CREATE TABLE p (id INTEGER PRIMARY KEY);
    CREATE TABLE s (p INTEGER REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);
  `);
  await client.batch(['INSERT INTO s VALUES (1)', 'INSERT INTO p VALUES (1)'], 'write');
  const results = await Promise.allSettled([
    client.batch(['INSERT INTO p VALUES (2)'], 'write'),
    client.batch(['INSERT INTO s VALUES (99)'], 'write'),
    client.execute('INSERT INTO s VALUES (98)'),
    client.batch(['INSERT INTO p VALUES (3)'], 'write'),
  ]);
  expect(results.map(({ status }) => status)).toStrictEqual(['fulfilled', 'rejected', 'rejected', 'fulfilled']);
  expect(results[1]).toMatchObject({ reason: { message: expect.stringContaining('FOREIGN KEY constraint failed') } });
  expect((await client.execute('SELECT COUNT(*) AS n FROM s')).rows).toMatchObject([{ n: 1 }]);
  expect((await client.execute('SELECT COUNT(*) AS n FROM p')).rows).toMatchObject([{ n: 3 }]);
});

test('a commit that failed does not hold the WAL', async () => {
  const client = await openDatabase();
  await client.executeMultiple(`
    CREATE TABLE p (id INTEGER PRIMARY KEY);
    CREATE TABLE s (p INTEGER REFERENCES p(id) DEFERRABLE INITIALLY DEFERRED);
  `);
  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO s VALUES (1)');
  await expect(transaction.commit()).rejects.toThrow('FOREIGN KEY constraint failed');
  await expect(client.batch(['INSERT INTO s VALUES (1)'], 'write')).rejects.toThrow('FOREIGN KEY constraint failed');
  await expect(client.batch(['INSERT INTO s VALUES (1) RETURNING p'], 'write')).rejects.toThrow('FOREIGN KEY');
  await expect(client.execute('INSERT INTO s VALUES (1) RETURNING p')).rejects.toThrow('FOREIGN KEY');
  expect((await client.execute('PRAGMA wal_checkpoint(TRUNCATE)')).rows).toMatchObject([{ busy: 0, log: 0 }]);
  expect((await client.execute('SELECT * FROM s')).rows).toStrictEqual([]);
});
