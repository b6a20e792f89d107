import { expect, test } from 'vitest';
import { openDatabase } from './test-support.ts';

test('a single value', async () => {
  const rs = await (await openDatabase()).execute('SELECT 42');
  expect(rs.columns.length).toBe(1);
  expect(rs.columnTypes.length).toBe(1);
  expect(rs.rows.length).toBe(1);
  expect(rs.rows[0]?.length).toBe(1);
  expect(rs.rows[0]?.[0]).toBe(42);
});

test('a single row, by index and by name', async () => {
  const rs = await (await openDatabase()).execute("SELECT 1 AS one, 'two' AS two, 0.5 AS three");
  expect(rs.columns).toStrictEqual(['one', 'two', 'three']);
  expect(rs.columnTypes).toStrictEqual(['', '', '']);
  const [row] = rs.rows;
  expect(Array.from(row as ArrayLike<unknown>)).toStrictEqual([1, 'two', 0.5]);
  expect(Object.entries(row ?? {})).toStrictEqual([
    ['one', 1],
    ['two', 'two'],
    ['three', 0.5],
  ]);
});

test('multiple rows, more than the engine hands over at once', async () => {
  const client = await openDatabase();
  for (const count of [0, 1, 99, 100, 101, 200, 250]) {
    const rs = await client.execute({
      sql: 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n LIMIT ?',
      args: [BigInt(count)],
    });
    expect(rs.rows.map((row) => row.i)).toStrictEqual(Array.from({ length: count }, (_, i) => i + 1));
  }
});

test('two columns of one name both arrive', async () => {
  const rs = await (await openDatabase()).execute('SELECT 1 AS a, 2 AS a');
  expect([rs.rows[0]?.[0], rs.rows[0]?.[1]]).toStrictEqual([1, 2]);
});

test('a statement in error', async () => {
  const client = await openDatabase();
  await expect(client.execute('SELECT foobar')).rejects.toMatchObject({
    name: 'LibsqlError',
    code: 'SQLITE_ERROR',
    message: expect.stringContaining('no such column: foobar'),
  });
  await expect(client.execute('NOT A VALID SQL')).rejects.toMatchObject({ code: 'SQLITE_ERROR' });
  await expect(client.execute('SELECT abs(-9223372036854775808)')).rejects.toThrow('integer overflow');
  await expect(client.execute('-- nothing')).rejects.toMatchObject({ code: 'SQL_NO_STATEMENT' });
  await expect(client.execute('SELECT 1; SELECT 2')).rejects.toMatchObject({ code: 'SQL_MANY_STATEMENTS' });
  expect((await client.execute('SELECT 1;')).rows[0]?.[0]).toBe(1);
});

test('rowsAffected and lastInsertRowid', async () => {
  const client = await openDatabase();
  expect((await client.execute('CREATE TABLE t (a)')).rowsAffected).toBe(0);
  expect((await client.execute('INSERT INTO t VALUES (1), (2)')).rowsAffected).toBe(2);
  expect((await client.execute('WITH x(a) AS (SELECT 2*a FROM t) INSERT INTO t SELECT a+1 FROM x')).rowsAffected).toBe(
    2,
  );
  expect((await client.execute('DELETE FROM t WHERE a >= 3')).rowsAffected).toBe(2);
  expect((await client.execute('UPDATE t SET a = 0 WHERE a = 77')).rowsAffected).toBe(0);
  const inserted = await client.execute("INSERT INTO t VALUES ('three')");
  const found = await client.execute({
    sql: 'SELECT a FROM t WHERE rowid = ?',
    args: [inserted.lastInsertRowid ?? null],
  });
  expect(found.rows[0]?.a).toBe('three');
  expect(found.lastInsertRowid).toBeUndefined();
});

test('a rowid beyond 2^53 keeps every bit', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (id INTEGER PRIMARY KEY)');
  const rs = await client.execute('INSERT INTO t VALUES (9007199254740993)');
  expect(rs.lastInsertRowid).toBe(9007199254740993n);
  const returned = await client.execute('INSERT INTO t VALUES (9007199254740995) RETURNING CAST(id AS TEXT) AS id');
  expect(returned.lastInsertRowid).toBe(9007199254740995n);
  expect(returned.rows[0]?.id).toBe('9007199254740995');
});

test('INSERT, UPDATE and DELETE with RETURNING', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (a INTEGER, b TEXT)');
  const rs = await client.execute("INSERT INTO t VALUES (1, 'x'), (2, 'y') RETURNING a, b, 42 AS c");
  expect(rs.columns).toStrictEqual(['a', 'b', 'c']);
  expect(rs.rowsAffected).toBe(2);
  expect(rs.rows).toMatchObject([
    { a: 1, b: 'x' },
    { a: 2, b: 'y' },
  ]);
  expect((await client.execute("UPDATE t SET b = 'z' WHERE a = 1 RETURNING b")).rows).toMatchObject([{ b: 'z' }]);
  const none = await client.execute('DELETE FROM t WHERE a = 9 RETURNING a');
  expect([none.rows.length, none.rowsAffected, none.columns]).toStrictEqual([0, 0, ['a']]);
});

test('toJSON()', async () => {
  const client = await openDatabase();
  expect(JSON.stringify(await client.execute('SELECT 1 AS a'))).toBe(
    '{"columns":["a"],"columnTypes":[""],"rows":[[1]],"rowsAffected":0,"lastInsertRowid":null}',
  );
  await client.execute('CREATE TABLE t (i INTEGER, f FLOAT, t TEXT, b BLOB)');
  const inserted = await client.execute("INSERT INTO t (rowid, i, f, t, b) VALUES (12345, 42, 0.5, 'foo', X'626172')");
  expect(inserted.toJSON()).toStrictEqual({
    columns: [],
    columnTypes: [],
    rows: [],
    rowsAffected: 1,
    lastInsertRowid: '12345',
  });
  const json = (await client.execute('SELECT i, f, t, b FROM t')).toJSON();
  expect(json.columnTypes).toStrictEqual(['INTEGER', 'FLOAT', 'TEXT', 'BLOB']);
  expect(json.rows).toStrictEqual([[42, 0.5, 'foo', 'YmFy']]);
});

test('constraints are told by SQLite in its own words, with the name', async () => {
  const client = await openDatabase();
  await client.executeMultiple(`
    CREATE TABLE p (id INTEGER PRIMARY KEY, u TEXT UNIQUE, c INTEGER CONSTRAINT c_is_positive CHECK (c > 0), n NOT NULL);
    CREATE TABLE s (p INTEGER REFERENCES p(id));
    INSERT INTO p VALUES (1, 'a', 1, 'n');
  `);
  const refused = async (sql: string, message: string) =>
    expect(client.execute(sql)).rejects.toMatchObject({
      code: 'SQLITE_CONSTRAINT',
      message: expect.stringContaining(message),
    });
  await refused("INSERT INTO p VALUES (1, 'b', 1, 'n')", 'UNIQUE constraint failed: p.id');
  await refused("INSERT INTO p VALUES (2, 'a', 1, 'n')", 'UNIQUE constraint failed: p.u');
  await refused("INSERT INTO p VALUES (2, 'b', 0, 'n')", 'CHECK constraint failed: c_is_positive');
  await refused("INSERT INTO p VALUES (2, 'b', 1, NULL)", 'NOT NULL constraint failed: p.n');
  await refused('INSERT INTO s VALUES (7)', 'FOREIGN KEY constraint failed');
});

test('a changed schema is seen at once by statements that were kept', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (a)');
  await client.execute('INSERT INTO t VALUES (1)');
  expect((await client.execute('SELECT * FROM t')).columns).toStrictEqual(['a']);
  await client.execute("ALTER TABLE t ADD COLUMN b TEXT DEFAULT 'x'");
  const rs = await client.execute('SELECT * FROM t');
  expect([rs.columns, rs.columnTypes, rs.rows]).toMatchObject([['a', 'b'], ['', 'TEXT'], [{ a: 1, b: 'x' }]]);
  await client.execute('ALTER TABLE t RENAME COLUMN b TO c');
  expect((await client.execute('SELECT * FROM t')).columns).toStrictEqual(['a', 'c']);
});

test('a custom fetch is used', async () => {
  let calls = 0;
  const client = await openDatabase({
    fetch: (request: Request) => {
      calls += 1;
      return fetch(request);
    },
  });
  await client.execute('SELECT 42');
  expect(calls).toBe(1);
});

test('a plan that was asked for holds up no later read', async () => {
  const client = await openDatabase();
  await client.execute('CREATE TABLE t (a)');
  for (const words of ['EXPLAIN', 'EXPLAIN QUERY PLAN']) {
    expect((await client.execute(`${words} SELECT * FROM t`)).rows.length).toBeGreaterThan(0);
    await client.execute({ sql: 'INSERT INTO t VALUES (?)', args: [words] });
    expect((await client.execute('SELECT a FROM t ORDER BY rowid DESC')).rows[0]?.a).toBe(words);
  }
});
