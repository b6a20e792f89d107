import { expect, test } from 'vitest';
import { openClient, openDatabase, openServer } from './test-support.ts';

test('multiple statements, a trigger with its own among them', async () => {
  const client = await openDatabase();
  await client.executeMultiple(`
    DROP TABLE IF EXISTS t;
    CREATE TABLE t (a); -- a; comment
    CREATE TABLE log (a);
    CREATE TRIGGER logged AFTER INSERT ON t WHEN CASE WHEN new.a > 0 THEN 1 ELSE 0 END BEGIN
      INSERT INTO log VALUES (new.a);
      INSERT INTO log VALUES (CASE new.a WHEN 1 THEN ';' ELSE 'END;' END);
    END;
    INSERT INTO t VALUES (1), (2);
    /* the end; */
  `);
  expect((await client.execute('SELECT COUNT(*) AS n FROM log')).rows).toMatchObject([{ n: 4 }]);
});

test('after an error, statements are not run; those before stay', async () => {
  const client = await openDatabase();
  await expect(
    client.executeMultiple('CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO t VALUES (foo()); DROP TABLE t;'),
  ).rejects.toMatchObject({ code: 'SQLITE_ERROR', message: expect.stringContaining('foo') });
  expect((await client.execute('SELECT SUM(a) AS sum FROM t')).rows).toMatchObject([{ sum: 1 }]);
});

test('a transaction of its own', async () => {
  const client = await openDatabase();
  await client.executeMultiple(
    'CREATE TABLE t (a); BEGIN; INSERT INTO t VALUES (1); INSERT INTO t VALUES (2); COMMIT;',
  );
  expect((await client.execute('SELECT SUM(a) AS sum FROM t')).rows).toMatchObject([{ sum: 3 }]);
});

test('an error in a transaction of its own rolls back only that', async () => {
  const client = await openDatabase();
  await expect(
    client.executeMultiple(`
      CREATE TABLE t (a);
      INSERT INTO t VALUES (0);
      BEGIN;
      INSERT INTO t VALUES (1);
      INSERT INTO t VALUES (foo());
      COMMIT;
    `),
  ).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  expect((await client.execute('SELECT COUNT(*) AS n, SUM(a) AS sum FROM t')).rows).toMatchObject([{ n: 1, sum: 0 }]);
});

test('nothing but comments', async () => {
  await (await openDatabase()).executeMultiple('-- nothing\n;;/* at all */');
});

test('migrate() may break foreign keys on the way, and they hold again after it', async () => {
  const client = await openDatabase();
  await client.executeMultiple(`
    CREATE TABLE p (id INTEGER PRIMARY KEY);
    CREATE TABLE s (p INTEGER REFERENCES p(id));
    INSERT INTO p VALUES (1);
    INSERT INTO s VALUES (1);
  `);
  await client.migrate([
    'CREATE TABLE p2 (id INTEGER PRIMARY KEY, name TEXT)',
    'INSERT INTO p2 SELECT id, NULL FROM p',
    'DROP TABLE p',
    'ALTER TABLE p2 RENAME TO p',
  ]);
  expect((await client.execute('SELECT * FROM p')).columns).toStrictEqual(['id', 'name']);
  await expect(client.execute('INSERT INTO s VALUES (9)')).rejects.toThrow('FOREIGN KEY constraint failed');
  await expect(client.migrate(['DROP TABLE s', 'SELECT foo'])).rejects.toMatchObject({ statementIndex: 1 });
  expect((await client.execute('SELECT * FROM s')).rows).toMatchObject([{ p: 1 }]);
  await expect(client.execute('INSERT INTO s VALUES (9)')).rejects.toThrow('FOREIGN KEY constraint failed');
});

test('a server that is gone is an error, and one that is back works', async () => {
  const server = await openServer();
  const client = openClient(server.url);
  const transaction = await client.transaction('read');
  await transaction.execute('SELECT 1');
  await server.close();
  await expect(client.execute('SELECT 42')).rejects.toThrow();
  await expect(transaction.execute('SELECT 1')).rejects.toThrow();
  await expect(transaction.commit()).rejects.toMatchObject({ code: 'TRANSACTION_CLOSED' });
  expect((await openDatabase()).closed).toBe(false);
});
