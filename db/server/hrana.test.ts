import { expect, test } from 'vitest';
import { batch, CLOSE, execute, openServer, pipeline, step, TOKEN } from './test-support.ts';

test('what is served, and what is not', async () => {
  const { url } = await openServer();
  const status = async (path: string, method = 'GET') => (await fetch(url + path, { method })).status;
  for (const path of ['/health', '/v2', '/v3', '/version']) expect(await status(path)).toBe(200);
  for (const path of ['/', '/v1', '/v3-protobuf', '/v3-protobuf/pipeline', '/v2/pipeline']) {
    expect(await status(path)).toBe(404);
  }
  expect(await status('/health', 'POST')).toBe(404);
});

test('only the right token opens a pipeline', async () => {
  const { url } = await openServer();
  const status = async (headers: Record<string, string>) => {
    const response = await fetch(`${url}/v2/pipeline`, { method: 'POST', headers, body: '{"requests":[]}' });
    return [response.status, ((await response.json()) as { code?: string }).code];
  };
  expect(await status({ authorization: `Bearer ${TOKEN}` })).toStrictEqual([200, undefined]);
  for (const authorization of ['', 'Bearer', 'Bearer ', `Bearer ${TOKEN}x`, `Basic ${TOKEN}`, TOKEN]) {
    expect(await status({ authorization })).toStrictEqual([401, 'AUTH_REJECTED']);
  }
  expect(await status({})).toStrictEqual([401, 'AUTH_REJECTED']);
});

test('a malformed body runs nothing', async () => {
  const { url } = await openServer();
  const post = (body: string) =>
    fetch(`${url}/v2/pipeline`, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body });
  const bodies = [
    'not json',
    '[]',
    '{}',
    '{"requests":{}}',
    '{"baton":7,"requests":[]}',
    '{"requests":[{"type":"unknown"}]}',
    '{"requests":[{"type":"execute"}]}',
    '{"requests":[{"type":"execute","stmt":{}}]}',
    '{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1","sql_id":1}}]}',
    '{"requests":[{"type":"execute","stmt":{"sql":"SELECT 1\\u0000"}}]}',
    '{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"integer","value":"9223372036854775808"}]}}]}',
    '{"requests":[{"type":"execute","stmt":{"sql":"SELECT ?","args":[{"type":"blob","base64":"*"}]}}]}',
    '{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":{"type":"ok","step":0}}]}}]}',
    '{"requests":[{"type":"batch","batch":{"steps":[{"stmt":{"sql":"SELECT 1"},"condition":{"type":"xor"}}]}}]}',
  ];
  for (const body of bodies) {
    const response = await post(body);
    expect([response.status, await response.json()]).toMatchObject([400, { message: expect.any(String) }]);
  }
});

test('conditions of every kind', async () => {
  const { url } = await openServer();
  const ok = { type: 'ok', step: 0 };
  const bad = { type: 'error', step: 1 };
  const { results } = await pipeline(url, [
    batch(
      step('SELECT 0'),
      step('SELECT foo'),
      step('SELECT 2', ok),
      step('SELECT 3', bad),
      step('SELECT 4', { type: 'not', cond: ok }),
      step('SELECT 5', { type: 'and', conds: [ok, bad] }),
      step('SELECT 6', {
        type: 'or',
        conds: [
          { type: 'error', step: 0 },
          { type: 'ok', step: 4 },
        ],
      }),
      step('SELECT 7', { type: 'error', step: 4 }),
      step('SELECT 8', { type: 'and', conds: [] }),
      step('SELECT 9', { type: 'or', conds: [] }),
      step('BEGIN', { type: 'is_autocommit' }),
      step('SELECT 11', { type: 'is_autocommit' }),
      step('COMMIT', { type: 'not', cond: { type: 'is_autocommit' } }),
      step('SELECT 13', { type: 'is_autocommit' }),
    ),
    CLOSE,
  ]);
  const { step_results, step_errors } = results[0]?.response.result ?? {};
  const ran = (step_results as unknown[]).flatMap((result, i) => (result === null ? [] : [i]));
  expect(ran).toStrictEqual([0, 2, 3, 5, 8, 10, 12, 13]);
  expect((step_errors as unknown[]).flatMap((error, i) => (error === null ? [] : [i]))).toStrictEqual([1]);
});

test('stored texts', async () => {
  const { url } = await openServer();
  const stored = { type: 'execute', stmt: { sql_id: 1 } };
  const { results } = await pipeline(url, [
    { type: 'store_sql', sql_id: 1, sql: 'SELECT 1 AS a' },
    stored,
    { type: 'store_sql', sql_id: 1, sql: 'SELECT 2' },
    { type: 'close_sql', sql_id: 1 },
    { type: 'close_sql', sql_id: 1 },
    stored,
    CLOSE,
    stored,
  ]);
  expect(results.map(({ type, error }) => error?.code ?? type)).toStrictEqual([
    'ok',
    'ok',
    'SQL_STORE_EXISTS',
    'ok',
    'ok',
    'SQL_NOT_FOUND',
    'ok',
    'STREAM_CLOSED',
  ]);
});

test('describe', async () => {
  const { url } = await openServer();
  const describe = async (sql: string) => {
    const [result] = (await pipeline(url, [{ type: 'describe', sql }, CLOSE])).results;
    return result?.response?.result ?? result?.error?.code;
  };
  await pipeline(url, [execute('CREATE TABLE t (a INTEGER, b)'), CLOSE]);
  expect(await describe('SELECT a, b, 1 AS c FROM t WHERE a = :x AND b = ? AND a < ?5')).toStrictEqual({
    params: [{ name: ':x' }, { name: null }, { name: null }, { name: null }, { name: '?5' }],
    cols: [
      { name: 'a', decltype: 'INTEGER' },
      { name: 'b', decltype: null },
      { name: 'c', decltype: null },
    ],
    is_explain: false,
    is_readonly: true,
  });
  expect(await describe('INSERT INTO t VALUES (1, 2)')).toMatchObject({ cols: [], is_readonly: false });
  expect(await describe('EXPLAIN SELECT 1')).toMatchObject({ is_explain: true, is_readonly: true });
  expect(await describe('SELECT nope')).toBe('SQLITE_ERROR');
});

test('get_autocommit, want_rows and an extended code', async () => {
  const { url } = await openServer();
  const { results } = await pipeline(url, [
    { type: 'get_autocommit' },
    execute('BEGIN IMMEDIATE'),
    { type: 'get_autocommit' },
    execute('CREATE TABLE t (a PRIMARY KEY)'),
    { type: 'execute', stmt: { sql: 'INSERT INTO t VALUES (1) RETURNING a', want_rows: false } },
    execute('INSERT INTO t VALUES (1)'),
    execute('ROLLBACK'),
    { type: 'get_autocommit' },
    CLOSE,
  ]);
  expect([0, 2, 7].map((i) => results[i]?.response.is_autocommit)).toStrictEqual([true, false, true]);
  expect(results[4]?.response.result).toMatchObject({ rows: [], affected_row_count: 1 });
  expect(results[5]?.error).toMatchObject({
    code: 'SQLITE_CONSTRAINT',
    extended_code: 'SQLITE_CONSTRAINT_PRIMARYKEY',
    message: 'SQLite error: UNIQUE constraint failed: t.a',
  });
});

test.each([
  "ATTACH DATABASE 'other.db' AS o",
  'DETACH DATABASE o',
  'CREATE TEMP TABLE t (a)',
  'CREATE TEMPORARY VIEW v AS SELECT 1',
  "VACUUM INTO 'copy.db'",
  'PRAGMA journal_mode = DELETE',
  'PRAGMA synchronous(0)',
  'PRAGMA query_only = OFF',
  'PRAGMA temp.user_version',
])('%s is refused, on every path', async (sql) => {
  const { url } = await openServer();
  const { results } = await pipeline(url, [execute(sql), batch(step(sql)), { type: 'sequence', sql }, CLOSE]);
  expect(results[0]?.error?.code).toBe('BLOCKED');
  expect(results[1]?.response.result.step_errors[0].code).toBe('BLOCKED');
  expect(results[2]?.error?.code).toBe('BLOCKED');
});

test('the settings that make it durable and correct are on', async () => {
  const { url } = await openServer();
  const names = ['journal_mode', 'synchronous', 'foreign_keys', 'busy_timeout'];
  const { results } = await pipeline(url, [...names.map((name) => execute(`PRAGMA ${name}`)), CLOSE]);
  const values = results.slice(0, names.length).map((result) => result.response.result.rows[0][0].value);
  expect(values).toStrictEqual(['wal', '2', '1', '2000']);
});
