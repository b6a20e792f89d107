import type { IntMode, InValue, Value } from '@libsql/client/web';
import { expect, test } from 'vitest';
import { openDatabase } from './test-support.ts';

const buffer = Uint8Array.from({ length: 256 }, (_, i) => i ^ 0xab).buffer;

const ROUNDTRIPS: [string, InValue, Value, IntMode?][] = [
  ['string', 'boomerang', 'boomerang'],
  ['empty string', '', ''],
  ['weird characters', 'a\n\r\t "\\\u2028', 'a\n\r\t "\\\u2028'],
  ['unicode', 'žluťoučký kůň úpěl ďábelské ódy 🎈', 'žluťoučký kůň úpěl ďábelské ódy 🎈'],
  ...(['number', 'bigint', 'string'] as const).flatMap((mode) =>
    [0, -2023, 12.345, 1e18, -1e18, Number.MAX_VALUE, -Number.MAX_VALUE, Number.MIN_VALUE].map(
      (n): [string, InValue, Value, IntMode] => [`float ${n} as ${mode}`, n, n, mode],
    ),
  ),
  ['largest safe integer', 9007199254740991n, 9007199254740991, 'number'],
  ...[0n, -42n, 1152921504608088318n, -1152921504594532842n, 9223372036854775807n, -9223372036854775808n].flatMap(
    (n): [string, InValue, Value, IntMode][] => [
      [`${n} as bigint`, n, n, 'bigint'],
      [`${n} as string`, n, String(n), 'string'],
    ],
  ),
  ['ArrayBuffer', buffer, buffer],
  ['Uint8Array', new Uint8Array(buffer), buffer],
  ['empty blob', new Uint8Array(), new ArrayBuffer(0)],
  ['blob of one byte', new Uint8Array([7]), new Uint8Array([7]).buffer],
  ['null', null, null],
  ['true', true, 1],
  ['false', false, 0n, 'bigint'],
  ['Date', new Date('2023-01-02T12:34:56Z'), 1672662896000],
];

test.each(ROUNDTRIPS)('%s comes back as it went', async (_name, passed, expected, intMode = 'number') => {
  const client = await openDatabase({ intMode });
  const rs = await client.execute({ sql: 'SELECT ?', args: [passed] });
  expect(rs.rows[0]?.[0]).toStrictEqual(expected);
});

const REFUSED: [string, unknown, new () => Error][] = [
  ['undefined', undefined, TypeError],
  ['NaN', Number.NaN, RangeError],
  ['Infinity', Number.POSITIVE_INFINITY, RangeError],
  ['an integer over 64 bits', -1267650600228229401496703205376n, RangeError],
  ['an integer too large for a number', 9007199254740992n, RangeError],
];

test.each(REFUSED)('%s is refused', async (_name, passed, error) => {
  const client = await openDatabase();
  await expect(client.execute({ sql: 'SELECT ?', args: [passed as InValue] })).rejects.toBeInstanceOf(error);
});

test('integers are bound as integers and floats as floats', async () => {
  const client = await openDatabase();
  const rs = await client.execute({ sql: "SELECT typeof(?), typeof(?), ? || ''", args: [1n, 1, 9223372036854775807n] });
  expect(Array.from(rs.rows[0] as ArrayLike<unknown>)).toStrictEqual(['integer', 'real', '9223372036854775807']);
});

test('an infinity computed by SQLite arrives as one', async () => {
  const rs = await (await openDatabase()).execute('SELECT 1e999 AS a, -1e999 AS b, 0.0 / 0 AS c');
  expect(rs.rows).toMatchObject([{ a: Number.POSITIVE_INFINITY, b: Number.NEGATIVE_INFINITY, c: null }]);
});

test('text with a NUL is refused, for it could not be read back whole', async () => {
  const client = await openDatabase();
  await expect(client.execute({ sql: 'SELECT ?', args: ['a\0b'] })).rejects.toMatchObject({ code: 'ARGS_INVALID' });
});
