import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  allocate,
  compare,
  currencyExponent,
  divide,
  formatMinor,
  formatRational,
  isDecimal,
  multiply,
  parseDecimal,
  rational,
  readRational,
  roundHalfAway,
  storedMinor,
  subtract,
  toMinor,
  writeRational,
} from './money.ts';

const fraction = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.bigInt({ min: 1n, max: 10n ** 12n }))
  .map(([n, d]) => rational(n, d));

describe('rounding', () => {
  it.each([
    ['0.004', 'EUR', 0n],
    ['0.005', 'EUR', 1n],
    ['-0.005', 'EUR', -1n],
    ['0.00499999999', 'EUR', 0n],
    ['1.005', 'EUR', 101n],
    ['-1.0049', 'EUR', -100n],
    ['0.5', 'JPY', 1n],
    ['0.4999', 'JPY', 0n],
    ['-2.5', 'JPY', -3n],
    ['1.0005', 'KWD', 1001n],
    ['0.00005', 'CLF', 1n],
    ['999999999999.995', 'USD', 100_000_000_000_000n],
  ])('%s %s is %s minor units', (amount, currency, minor) => {
    expect(toMinor(parseDecimal(amount), currency)).toBe(minor);
  });

  it('is never off by more than a half, and odd', () => {
    fc.assert(
      fc.property(fraction, (value) => {
        const off = subtract(rational(roundHalfAway(value)), value);
        expect(compare({ n: off.n < 0n ? -off.n : off.n, d: off.d }, rational(1n, 2n))).toBeLessThanOrEqual(0);
        expect(roundHalfAway({ n: -value.n, d: value.d })).toBe(-roundHalfAway(value));
      }),
    );
  });
});

describe('fractions', () => {
  it('obey the laws of a field', () => {
    fc.assert(
      fc.property(fraction, fraction, fraction, (a, b, c) => {
        expect(add(a, b)).toEqual(add(b, a));
        expect(multiply(a, add(b, c))).toEqual(add(multiply(a, b), multiply(a, c)));
        expect(subtract(add(a, b), b)).toEqual(a);
        if (b.n !== 0n) expect(multiply(divide(a, b), b)).toEqual(a);
      }),
    );
  });

  it('are kept as they are', () => {
    fc.assert(
      fc.property(fraction, (value) => {
        expect(readRational(writeRational(value))).toEqual(value);
      }),
    );
    expect(() => readRational('1')).toThrow();
    expect(() => rational(1n, 0n)).toThrow(RangeError);
  });

  it.each(['1e3', '', '.', '1.', '.5', '+1', '0x1', ' 1', '1,5', 'NaN', '1234567890123456', `0.${'1'.repeat(19)}`])(
    'are not made of %j',
    (text) => {
      expect(isDecimal(text)).toBe(false);
      expect(() => parseDecimal(text)).toThrow(RangeError);
    },
  );

  it.each([
    ['-0.5', '-0.5'],
    ['10', '10'],
    ['100.000', '100'],
    ['0.3333', '0.333'],
    ['-0.0006', '-0.001'],
  ])('%s is shown as %s', (text, shown) => {
    expect(formatRational(parseDecimal(text), 3)).toBe(shown);
  });
});

describe('currencies', () => {
  it.each([
    [1234, 'EUR', '12.34'],
    [-5, 'EUR', '-0.05'],
    [1234, 'JPY', '1234'],
    [-1, 'KWD', '-0.001'],
    [0, 'CNY', '0.00'],
  ])('%s %s is %s', (minor, currency, text) => {
    expect(formatMinor(minor, currency)).toBe(text);
  });

  it('are those of ISO 4217', () => {
    expect(['EUR', 'JPY', 'BHD', 'CLF', 'XXX', 'eur', ''].map(currencyExponent)).toEqual([
      2,
      0,
      3,
      4,
      null,
      null,
      null,
    ]);
    expect(() => toMinor(rational(1n), 'GOLD')).toThrow(RangeError);
  });

  it('are kept as whole numbers that a double holds, or not at all', () => {
    expect(storedMinor(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => storedMinor(-(2n ** 53n))).toThrow(RangeError);
  });
});

describe('allocation', () => {
  it.each([
    [100n, [1n, 1n, 1n], [34n, 33n, 33n]],
    [-100n, [1n, 1n, 1n], [-34n, -33n, -33n]],
    [5n, [3n, 7n], [2n, 3n]],
    [1n, [0n, 1n, 1n], [0n, 1n, 0n]],
    [0n, [2n, 3n], [0n, 0n]],
  ])('of %s by %s is %s', (minor, weights, parts) => {
    expect(allocate(minor, weights)).toEqual(parts);
  });

  it('sums to what was split, and is off by less than one', () => {
    const weights = fc.array(fc.bigInt({ min: 0n, max: 10n ** 9n }), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 15n }), weights, (minor, by) => {
        const sum = by.reduce((a, b) => a + b, 0n);
        fc.pre(sum > 0n);
        const parts = allocate(minor, by);
        expect(parts.reduce((a, b) => a + b, 0n)).toBe(minor);
        for (const [at, part] of parts.entries()) {
          const off = subtract(rational(part), rational(minor * (by[at] ?? 0n), sum));
          expect(compare({ n: off.n < 0n ? -off.n : off.n, d: off.d }, rational(1n))).toBe(-1);
        }
      }),
    );
    expect(() => allocate(1n, [0n])).toThrow(RangeError);
  });
});
