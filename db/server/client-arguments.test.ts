import type { InArgs } from '@libsql/client/web';
import { expect, test } from 'vitest';
import { openDatabase } from './test-support.ts';

const BOUND: [string, InArgs, unknown[]][] = [
  ['SELECT ?, ?', ['one', 'two'], ['one', 'two']],
  ['SELECT ?2, ?3, ?1', ['one', 'two', 'three'], ['two', 'three', 'one']],
  ['SELECT ?3, ?1', ['one', 'two', 'three'], ['three', 'one']],
  ['SELECT ?2, ?, ?3', ['one', 'two', 'three'], ['two', 'three', 'three']],
  [
    "SELECT ?, '?', 'it''s ?', 1 AS \"?\", 2 AS `?`, 3 AS [?], /* ? */ ? -- ?",
    ['a', 'b'],
    ['a', '?', "it's ?", 1, 2, 3, 'b'],
  ],
  ...[':', '@', '$'].flatMap((sign): [string, InArgs, unknown[]][] => [
    [`SELECT ${sign}b, ${sign}a`, { a: 'one', [`${sign}b`]: 'two' }, ['two', 'one']],
    [`SELECT ${sign}b, ${sign}a, ${sign}b || ${sign}a`, { a: 'one', b: 'two' }, ['two', 'one', 'twoone']],
    [`SELECT ${sign}b, ${sign}a, ?1`, { a: 'one', [`${sign}b`]: 'two' }, ['two', 'one', 'two']],
    [`SELECT ${sign}b, ${sign}a`, ['first', 'second'], ['first', 'second']],
  ]),
];

test.each(BOUND)('%s', async (sql, args, expected) => {
  const client = await openDatabase();
  const rs = await client.execute({ sql, args });
  expect(Array.from(rs.rows[0] as ArrayLike<unknown>)).toStrictEqual(expected);
});

const UNBOUND: [string, InArgs, string][] = [
  ['SELECT ?, ?', ['one'], 'value for parameter 2 not found'],
  ['SELECT ?', ['one', 'two'], 'too many arguments, expected 1, got 2'],
  ['SELECT :a', { b: 1 }, 'value for parameter :a not found'],
  ['SELECT :a', { a: 1, b: 1 }, 'no parameter is named b'],
];

test.each(UNBOUND)('%s with %j is refused', async (sql, args, message) => {
  const client = await openDatabase();
  await expect(client.execute({ sql, args })).rejects.toMatchObject({
    code: 'ARGS_INVALID',
    message: expect.stringContaining(message),
  });
});

test('a kept statement does not keep the arguments of the one before', async () => {
  const client = await openDatabase();
  await client.execute({ sql: 'SELECT ? AS a', args: ['secret'] });
  await expect(client.execute({ sql: 'SELECT ? AS a', args: [] })).rejects.toMatchObject({ code: 'ARGS_INVALID' });
  expect((await client.execute({ sql: 'SELECT ? AS a', args: [null] })).rows).toMatchObject([{ a: null }]);
});
