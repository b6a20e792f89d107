import { expect, test } from 'vitest';
import { batch, CLOSE, execute, openClient, openServer, pipeline, step, TOKEN } from './test-support.ts';

const times = <T>(count: number, make: (i: number) => T): T[] => Array.from({ length: count }, (_, i) => make(i));

test('bytes of a body, announced or not', async () => {
  const { url } = await openServer({ bodyBytesMax: 1_000 });
  const post = (body: BodyInit, init: RequestInit = {}) =>
    fetch(`${url}/v2/pipeline`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body, ...init });
  const padded = (bytes: number) => JSON.stringify({ requests: [] }).padEnd(bytes);
  expect((await post(padded(1_000))).status).toBe(200);
  const refused = await post(padded(1_001));
  expect([refused.status, await refused.json()]).toMatchObject([413, { code: 'REQUEST_TOO_LARGE' }]);
  const chunks = new Blob([padded(1_001)]).stream();
  expect((await post(chunks, { duplex: 'half' } as RequestInit)).status).toBe(413);
  expect((await post(padded(10))).status).toBe(200);
});

test('requests, statements, arguments, bytes of a text and depth of a condition: nothing runs over any of them', async () => {
  const { url } = await openServer({
    requestsPerPipelineMax: 4,
    statementsPerRequestMax: 3,
    argumentsPerStatementMax: 2,
    statementTextBytesMax: 100,
    conditionDepthMax: 2,
  });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const insert = execute('INSERT INTO t VALUES (1)');
  const value = { type: 'null' };
  const not = (cond: object) => ({ type: 'not', cond });
  const ok = { type: 'ok', step: 0 };
  const refused = [
    [insert, ...times(4, () => ({ type: 'get_autocommit' }))],
    times(4, () => insert),
    [insert, batch(...times(3, () => step('SELECT 1')))],
    [insert, execute('SELECT ?, ?, ?', [value, value, value])],
    [insert, execute(`SELECT '${'x'.repeat(100)}'`)],
    [insert, { type: 'store_sql', sql_id: 1, sql: `SELECT '${'é'.repeat(46)}'` }],
    [insert, batch(step('SELECT 1'), step('SELECT 2', not(not(ok))))],
  ];
  for (const requests of refused) {
    expect(await pipeline(url, requests)).toMatchObject({ status: 413, code: 'REQUEST_TOO_LARGE' });
  }
  const accepted = await pipeline(url, [
    batch(step('SELECT 1'), step('SELECT 2', not(ok))),
    execute(`SELECT ?, ? --${'x'.repeat(80)}`, [value, value]),
    CLOSE,
  ]);
  expect(accepted.results.map(({ type }) => type)).toStrictEqual(['ok', 'ok', 'ok']);
  await expect(client.executeMultiple('SELECT 1; SELECT 2; SELECT 3; SELECT 4')).rejects.toMatchObject({
    code: 'REQUEST_TOO_LARGE',
  });
  expect((await client.execute('SELECT COUNT(*) AS n FROM t')).rows).toMatchObject([{ n: 0 }]);
});

test('rows and bytes of a result; what was written for it is taken back', async () => {
  const { url } = await openServer({ rowsPerResultMax: 150, resultBytesMax: 20_000 });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const count = async () => (await client.execute('SELECT COUNT(*) AS n FROM t')).rows[0]?.n;
  const endless = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n)';
  const tooLarge = (promise: Promise<unknown>, what: string) =>
    expect(promise).rejects.toMatchObject({ code: 'RESPONSE_TOO_LARGE', message: expect.stringContaining(what) });

  expect((await client.execute(`${endless} SELECT i FROM n LIMIT 150`)).rows.length).toBe(150);
  await tooLarge(client.execute(`${endless} SELECT i FROM n`), '150 rows');
  await tooLarge(client.execute("SELECT printf('%.*c', 20000, 'x')"), '20000 bytes');
  await tooLarge(
    client.batch(
      times(3, () => "SELECT printf('%.*c', 9000, 'x')"),
      'read',
    ),
    '20000 bytes',
  );
  await tooLarge(client.execute(`${endless} INSERT INTO t SELECT i FROM n LIMIT 500 RETURNING a`), '150 rows');
  await tooLarge(client.execute("INSERT INTO t VALUES (1) RETURNING printf('%.*c', 20000, 'x')"), '20000 bytes');
  expect(await count()).toBe(0);

  const transaction = await client.transaction('write');
  await transaction.execute('INSERT INTO t VALUES (1)');
  await tooLarge(transaction.execute("INSERT INTO t VALUES (2) RETURNING printf('%.*c', 20000, 'x')"), '20000 bytes');
  await transaction.commit();
  expect(await count()).toBe(1);
  await client.execute('DROP TABLE t');
});

test('stored texts', async () => {
  const { url } = await openServer({ storedSqlPerStreamMax: 2 });
  const { results } = await pipeline(url, [
    ...times(3, (i) => ({ type: 'store_sql', sql_id: i, sql: 'SELECT 1' })),
    { type: 'execute', stmt: { sql_id: 1 } },
    CLOSE,
  ]);
  expect(results.map(({ type, error }) => error?.code ?? type)).toStrictEqual([
    'ok',
    'ok',
    'SQL_STORE_TOO_MANY',
    'ok',
    'ok',
  ]);
});

test('open streams: those that are open go on', async () => {
  const { url } = await openServer({ openStreamsMax: 2 });
  const open = () => pipeline(url, [execute('SELECT 1')]);
  const [first] = [await open(), await open()];
  expect(await open()).toMatchObject({ status: 429, code: 'TOO_MANY_STREAMS' });
  expect((await openClient(url).execute('SELECT 1 AS a')).rows).toMatchObject([{ a: 1 }]);
  expect((await pipeline(url, [execute('SELECT 1'), CLOSE], first.baton)).status).toBe(200);
  expect((await open()).status).toBe(200);
});

test('requests at a time: those that wait are answered', async () => {
  const { url } = await openServer({ concurrentRequestsMax: 2 });
  const client = openClient(url);
  await client.execute('CREATE TABLE t (a)');
  const holder = await pipeline(url, [execute('BEGIN IMMEDIATE')]);
  const waiting = client.execute('INSERT INTO t VALUES (1)');
  // One is waiting for the writer, one may run, any more at the same time are refused.
  const asked = await Promise.all(times(50, () => pipeline(url, [execute('SELECT 1'), CLOSE])));
  expect(asked.map(({ status }) => status).every((status) => status === 200 || status === 429)).toBe(true);
  expect((await pipeline(url, [CLOSE], holder.baton)).status).toBe(200);
  expect((await waiting).rowsAffected).toBe(1);
});

test('kept statements: more than fit still work', async () => {
  const { url } = await openServer({ cachedStatementsMax: 4 });
  const client = openClient(url);
  for (let round = 0; round < 2; round++) {
    const results = await client.batch(
      times(20, (i) => ({ sql: `SELECT ? AS a${i}`, args: [i] })),
      'read',
    );
    expect(results.map(({ rows }, i) => rows[0]?.[`a${i}`])).toStrictEqual(times(20, (i) => i));
  }
});
