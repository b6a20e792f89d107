import { badRequest } from '../../http/errors.ts';

/** What a value cannot be, as Neutron words it after `Invalid input for <attribute>. Reason:`. */
export class BadValue extends Error {}

/** Makes a checked value of what a client sent. @throws BadValue, or ApiError where Neutron's converters refuse it */
export type Parse<T> = (value: unknown) => T;

export const NAME_LENGTH_MAX = 255;
export const DESCRIPTION_LENGTH_MAX = 255;

/** A converter's refusal. */
export const invalidInput = (message: string) => badRequest(`Invalid input for operation: ${message}.`, 'InvalidInput');

/** A value in a message: short, and never more than the client sent. */
export const shown = (value: unknown): string =>
  (typeof value === 'string' ? value : (JSON.stringify(value) ?? 'undefined')).slice(0, 200);

export const text =
  (lengthMax: number): Parse<string> =>
  (value) => {
    if (typeof value !== 'string') throw new BadValue(`'${shown(value)}' is not a valid string`);
    if (value.length > lengthMax) throw new BadValue(`'${shown(value)}' exceeds maximum length of ${lengthMax}`);
    return value;
  };

export const boolean: Parse<boolean> = (value) => {
  const found = typeof value === 'string' ? booleanOf(value) : value;
  if (found === true || found === 1) return true;
  if (found === false || found === 0) return false;
  throw invalidInput(`'${shown(value)}' cannot be converted to boolean`);
};

/** The words for true and false that Neutron takes; undefined for others. */
export function booleanOf(word: string): boolean | undefined {
  const lower = word.toLowerCase();
  if (lower === 'true' || lower === '1') return true;
  return lower === 'false' || lower === '0' ? false : undefined;
}

export const integer: Parse<number> = (value) => {
  const number = typeof value === 'string' && /^-?\d{1,15}$/.test(value) ? Number(value) : value;
  if (typeof number === 'number' && Number.isSafeInteger(number)) return number;
  throw invalidInput(`'${shown(value)}' is not an integer`);
};

export const integerBetween =
  (min: number, max: number): Parse<number> =>
  (value) => {
    const number = integer(value);
    if (number < min) throw new BadValue(`'${number}' is too small - must be at least '${min}'`);
    if (number > max) throw new BadValue(`'${number}' is too large - must be no larger than '${max}'`);
    return number;
  };

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export const uuid: Parse<string> = (value) => {
  if (typeof value !== 'string' || !UUID.test(value)) throw new BadValue(`'${shown(value)}' is not a valid UUID`);
  return value.toLowerCase();
};

export const oneOf =
  <const T extends string | number>(values: readonly T[], parse: Parse<string | number>): Parse<T> =>
  (value) => {
    const parsed = parse(value);
    const found = values.find((one) => one === parsed);
    if (found === undefined) throw new BadValue(`${shown(value)} is not in [${values.join(', ')}]`);
    return found;
  };

/** Only what a resource has anyway may be said. */
export const only =
  <const T extends string | boolean | null>(value: T): Parse<T> =>
  (sent) => {
    if (sent !== value) throw new BadValue(`'${shown(sent)}' is not supported here, only '${shown(value)}'`);
    return value;
  };

export const onlyNull = only(null);

/** Nothing may be in the list; null is an empty one. */
export const emptyList: Parse<[]> = (value) => {
  if (value === null || (Array.isArray(value) && value.length === 0)) return [];
  throw new BadValue(`'${shown(value)}' is not an empty list`);
};

export const nullOr =
  <T>(parse: Parse<T>): Parse<T | null> =>
  (value) =>
    value === null ? null : parse(value);

/** A list without duplicates; null is an empty one where `noneIsEmpty`. */
export const listOf =
  <T>(parse: Parse<T>, options: { max: number; noneIsEmpty?: boolean; key?: (item: T) => string }): Parse<T[]> =>
  (value) => {
    if (value === null && options.noneIsEmpty) return [];
    if (!Array.isArray(value)) throw new BadValue(`'${shown(value)}' is not a list`);
    if (value.length > options.max) throw new BadValue(`more than ${options.max} items`);
    const items = value.map(parse);
    const keys = items.map(options.key ?? String);
    const twice = keys.find((key, index) => keys.indexOf(key) !== index);
    if (twice !== undefined) throw new BadValue(`Duplicate items in the list: '${twice}'`);
    return items;
  };

/** An object with exactly these members, all of them text. */
export function members<K extends string>(
  value: unknown,
  required: readonly K[],
  optional: readonly K[] = [],
): Partial<Record<K, unknown>> {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw new BadValue(`Invalid input. '${shown(value)}' must be a dictionary with keys: [${required.join(', ')}]`);
  }
  const given = Object.keys(value);
  const allowed: readonly string[] = [...required, ...optional];
  if (required.some((key) => !given.includes(key)) || given.some((key) => !allowed.includes(key))) {
    throw new BadValue(
      `Validation of dictionary's keys failed. Expected keys: [${allowed.join(', ')}] Provided keys: [${shown(given.join(', '))}]`,
    );
  }
  return value as Partial<Record<K, unknown>>;
}
