/**
 * Money and prices: exact, always. An amount is a whole number of micros, millionths of a currency's unit; what lies between
 * is a fraction of two BigInts until it is rounded, here and nowhere else. What is paid is whole minor units.
 */

import { Lru } from './lru.ts';

/** Digits of the minor unit where they are not two (ISO 4217, list one). */
const OTHER_EXPONENTS: Readonly<Record<number, string>> = {
  0: 'BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF',
  3: 'BHD IQD JOD KWD LYD OMR TND',
  4: 'CLF UYW',
};
const TWO_DIGITS = `AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BGN BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
  CNY COP CRC CUP CVE CZK DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GTQ GYD HKD HNL HTG HUF IDR ILS INR
  IRR JMD KES KGS KHR KPW KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN
  NIO NOK NPR NZD PAB PEN PGK PHP PKR PLN QAR RON RSD RUB SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL
  THB TJS TMT TOP TRY TTD TWD TZS UAH USD UYU UZS VES WST XCD YER ZAR ZMW`;
const EXPONENTS = new Map<string, number>([
  ...TWO_DIGITS.split(/\s+/).map((code) => [code, 2] as const),
  ...Object.entries(OTHER_EXPONENTS).flatMap(([digits, codes]) =>
    codes.split(' ').map((code) => [code, Number(digits)] as const),
  ),
]);

/** Digits of a decimal string before and after its point; beyond, it is a slip. */
const WHOLE_DIGITS_MAX = 15;
const FRACTION_DIGITS_MAX = 18;
const DECIMAL = new RegExp(`^-?\\d{1,${WHOLE_DIGITS_MAX}}(\\.\\d{1,${FRACTION_DIGITS_MAX}})?$`);

/**
 * An exact fraction; `d` is positive. What `rational` and `reduce` answer is without a common divisor: nothing that is
 * between is divided, for that takes most of the time.
 */
export interface Rational {
  readonly n: bigint;
  readonly d: bigint;
}
export const ZERO: Rational = { n: 0n, d: 1n };

/** Digits of a currency's minor unit: EUR 2, JPY 0; null for what is no currency. */
export const currencyExponent = (currency: string): number | null => EXPONENTS.get(currency) ?? null;

const abs = (value: bigint) => (value < 0n ? -value : value);

const SAFE = BigInt(Number.MAX_SAFE_INTEGER);

function divisor(a: bigint, b: bigint): bigint {
  let x = abs(a);
  let y = abs(b);
  while (y > SAFE || (x > SAFE && y !== 0n)) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return y === 0n ? x : BigInt(divisorOfNumbers(Number(x), Number(y)));
}

/** Up to what a double counts exactly, and then what a word does: each many times as fast as the one before. */
function divisorOfNumbers(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y > WORD_MAX || (x > WORD_MAX && y !== 0)) {
    const rest = x % y;
    x = y;
    y = rest;
  }
  return y === 0 ? x : divisorOfWords(x | 0, y | 0);
}

const WORD_MAX = 2 ** 31 - 1;

function divisorOfWords(a: number, b: number): number {
  let x = a;
  let y = b;
  while (y !== 0) {
    const rest = (x % y) | 0;
    x = y;
    y = rest;
  }
  return x;
}

/** @throws RangeError for a denominator of zero */
export function rational(n: bigint, d = 1n): Rational {
  if (d === 1n) return { n, d };
  if (d === 0n) throw new RangeError('a fraction of zero parts');
  const by = divisor(n, d) * (d < 0n ? -1n : 1n) || 1n;
  return by === 1n ? { n, d } : { n: n / by, d: d / by };
}

export const isDecimal = (text: string): boolean => DECIMAL.test(text);

/** Decimals as they were parsed: those of a price are asked for at each moment that it is rated at. */
const PARSED_MAX = 1_000;
const parsed = new Lru<string, Rational>(PARSED_MAX);

/** A decimal string as the fraction it says. @throws RangeError for what is none */
export function parseDecimal(text: string): Rational {
  const known = parsed.get(text);
  if (known) return known;
  if (!isDecimal(text)) throw new RangeError(`'${text.slice(0, 64)}' is no decimal number`);
  const [whole = '0', fraction = ''] = text.split('.');
  const value = rational(BigInt(whole + fraction), 10n ** BigInt(fraction.length));
  parsed.set(text, value);
  return value;
}

/** The same fraction without a common divisor. */
export const reduce = ({ n, d }: Rational): Rational => rational(n, d);

/** Sums and products are reduced once they are this long: a sum of many would grow with each. */
const LONG = 1n << 256n;
const fraction = (n: bigint, d: bigint): Rational => (d > LONG ? rational(n, d) : { n, d });

export const add = (a: Rational, b: Rational): Rational =>
  a.d === b.d ? { n: a.n + b.n, d: a.d } : fraction(a.n * b.d + b.n * a.d, a.d * b.d);
export const subtract = (a: Rational, b: Rational): Rational =>
  a.d === b.d ? { n: a.n - b.n, d: a.d } : fraction(a.n * b.d - b.n * a.d, a.d * b.d);
export const multiply = (a: Rational, b: Rational): Rational => fraction(a.n * b.n, a.d * b.d);
/** @throws RangeError for a divisor of zero */
export const divide = (a: Rational, b: Rational): Rational => rational(a.n * b.d, a.d * b.n);
/** Below zero, zero or above, as `a` is less than, equal to or more than `b`. */
export function compare(a: Rational, b: Rational): number {
  const [left, right] = a.d === b.d ? [a.n, b.n] : [a.n * b.d, b.n * a.d];
  return Number(left > right) - Number(left < right);
}
export const greater = (a: Rational, b: Rational): Rational => (compare(a, b) >= 0 ? a : b);
export const lesser = (a: Rational, b: Rational): Rational => (compare(a, b) <= 0 ? a : b);

/** The one rounding rule: to the nearest whole, and halves away from zero. */
export function roundHalfAway({ n, d }: Rational): bigint {
  const rounded = (2n * abs(n) + d) / (2n * d);
  return n < 0n ? -rounded : rounded;
}

/** Micros are what amounts are counted in: so many make one of a currency's unit, whatever its minor unit is. */
const MICROS = 10n ** 6n;
const MICRO_DIGITS = 6;

/** An exact amount in whole micros. */
export const toMicros = ({ n, d }: Rational): bigint => roundHalfAway({ n: n * MICROS, d });

/** Micros to the nearest whole minor unit, as it can be paid, in micros. @throws RangeError for what is no currency */
export function roundToMinor(micros: bigint, currency: string): bigint {
  const minor = MICROS / 10n ** exponentOf(currency);
  return roundHalfAway(rational(micros, minor)) * minor;
}

/** Micros as a database and JSON keep them. @throws RangeError beyond what a double counts exactly: 9,007,199,254 of a currency */
export function storedMicros(micros: bigint): number {
  if (abs(micros) > BigInt(Number.MAX_SAFE_INTEGER)) throw new RangeError(`${micros} micros are beyond what is kept`);
  return Number(micros);
}

/** Micros as people read them, with all digits that are there and at least the minor unit's: 1234567 EUR is `1.234567`, 1200000 `1.20`. */
export function formatMicros(micros: number | bigint, currency: string): string {
  const text = fixed(BigInt(micros), MICRO_DIGITS);
  const most = MICRO_DIGITS - Number(exponentOf(currency));
  const spare = Math.min(most, (/0*$/.exec(text)?.[0] ?? '').length);
  return text.slice(0, text.length - spare).replace(/\.$/, '');
}

/** A fraction as a decimal string of at most so many digits after the point, by the one rounding rule. */
export function formatRational(value: Rational, digits: number): string {
  const text = fixed(roundHalfAway(multiply(value, rational(10n ** BigInt(digits)))), digits);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

function fixed(scaled: bigint, digits: number): string {
  const text = String(abs(scaled)).padStart(digits + 1, '0');
  const point = text.length - digits;
  return `${scaled < 0n ? '-' : ''}${text.slice(0, point)}${digits > 0 ? `.${text.slice(point)}` : ''}`;
}

/** As it is kept where it must stay exact: `n/d`. */
export function writeRational(value: Rational): string {
  const { n, d } = reduce(value);
  return `${n}/${d}`;
}

/** @throws RangeError, SyntaxError for what `writeRational` did not write */
export function readRational(text: string): Rational {
  const [n = '', d = ''] = text.split('/');
  return rational(BigInt(n), BigInt(d));
}

function exponentOf(currency: string): bigint {
  const exponent = currencyExponent(currency);
  if (exponent === null) throw new RangeError(`${currency} is no currency of ISO 4217`);
  return BigInt(exponent);
}
