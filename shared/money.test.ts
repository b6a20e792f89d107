import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  add,
  compare,
  currencyExponent,
  divide,
  formatMicros,
  formatRational,
  isDecimal,
  multiply,
  parseDecimal,
  type Rational,
  rational,
  readRational,
  reduce,
  roundHalfAway,
  roundToMinor,
  storedMicros,
  subtract,
  toMicros,
  writeRational,
  ZERO,
} from './money.ts';

const fraction = fc
  .tuple(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), fc.bigInt({ min: 1n, max: 10n ** 12n }))
  .map(([n, d]) => rational(n, d));

/** By Euclid, on BigInts alone. */
function naivelyReduced(n: bigint, d: bigint): Rational {
  let [x, y] = [n < 0n ? -n : n, d < 0n ? -d : d];
  while (y !== 0n) [x, y] = [y, x % y];
  const by = d < 0n ? -x : x;
  return { n: n / by, d: d / by };
}

describe('rounding', () => {
  it.each([
    ['0.004', 'EUR', '0.00'],
    ['0.005', 'EUR', '0.01'],
    ['-0.005', 'EUR', '-0.01'],
    ['0.004999', 'EUR', '0.00'],
    ['1.005', 'EUR', '1.01'],
    ['-1.0049', 'EUR', '-1.00'],
    ['0.5', 'JPY', '1'],
    ['0.4999', 'JPY', '0'],
    ['-2.5', 'JPY', '-3'],
    ['1.0005', 'KWD', '1.001'],
    ['0.00005', 'CLF', '0.0001'],
    ['999999999.995', 'USD', '1000000000.00'],
  ])('%s %s is paid as %s', (amount, currency, paid) => {
    expect(formatMicros(roundToMinor(toMicros(parseDecimal(amount)), currency), currency)).toBe(paid);
  });

  it.each([
    ['0.0000004', 0n],
    ['0.0000005', 1n],
    ['-0.0000005', -1n],
    ['1.2345674999', 1_234_567n],
  ])('%s is %s micros', (amount, micros) => {
    expect(toMicros(parseDecimal(amount))).toBe(micros);
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
        const same = (left: Rational, right: Rational) => {
          expect(reduce(left)).toEqual(reduce(right));
          expect(compare(left, right)).toBe(0);
        };
        same(add(a, b), add(b, a));
        same(multiply(a, add(b, c)), add(multiply(a, b), multiply(a, c)));
        same(subtract(add(a, b), b), a);
        if (b.n !== 0n) same(multiply(divide(a, b), b), a);
      }),
    );
  });

  it('are without a common divisor, however long they are', () => {
    const long = 7n ** 90n;
    const some = fc.tuple(fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }), fc.constantFrom(1n, 6n, 10n ** 9n, long));
    const parts = fc.tuple(some, some).map((two) => two.map(([value, by]) => value * by) as [bigint, bigint]);
    fc.assert(
      fc.property(parts, ([n, d]) => {
        if (d !== 0n) expect(rational(n, d)).toEqual(naivelyReduced(n, d));
      }),
    );
  });

  it('stay short in a sum of many', () => {
    let sum = ZERO;
    for (let at = 1; at <= 2_000; at += 1) sum = add(sum, multiply(rational(1n, BigInt(at)), rational(BigInt(at), 2n)));
    expect(reduce(sum)).toEqual({ n: 1_000n, d: 1n });
    expect(sum.d < 1n << 512n).toBe(true);
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
    [12_340_000, 'EUR', '12.34'],
    [12_345_670, 'EUR', '12.34567'],
    [-50_000, 'EUR', '-0.05'],
    [-1, 'EUR', '-0.000001'],
    [100_000_000, 'EUR', '100.00'],
    [1_234_000_000, 'JPY', '1234'],
    [1_234_500_000, 'JPY', '1234.5'],
    [-1_000, 'KWD', '-0.001'],
    [0, 'CNY', '0.00'],
  ])('%s micros of %s are %s', (micros, currency, text) => {
    expect(formatMicros(micros, currency)).toBe(text);
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
    expect(() => roundToMinor(1n, 'GOLD')).toThrow(RangeError);
  });

  it('are kept as whole numbers that a double holds, or not at all', () => {
    expect(storedMicros(2n ** 53n - 1n)).toBe(Number.MAX_SAFE_INTEGER);
    expect(() => storedMicros(-(2n ** 53n))).toThrow(RangeError);
  });
});
