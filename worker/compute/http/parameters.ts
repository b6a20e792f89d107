import { z } from 'zod';
import { formatIp, parseIp } from '../../../shared/cidr.ts';

/* Nova's parameter types: what its bodies and queries are made of. */

export const NAME_CHARS_MAX = 255;
/** The largest integer that Nova's database takes. */
export const INTEGER_MAX = 0x7fffffff;
/** Tags that one server may carry, and the length of one. */
export const TAGS_MAX = 50;
export const TAG_CHARS_MAX = 60;

const PRINTABLE = /^[^\p{C}\p{Zl}\p{Zp}]*$/u;
const PRINTABLE_TRIMMED = /^(?![\p{C}\p{Z}])[^\p{C}\p{Zl}\p{Zp}]*(?<![\p{C}\p{Z}])$/u;
const PRINTABLE_REASON = 'printable characters. Can not start or end with whitespace.';
const NAME_REFUSED = `An invalid 'name' value was provided. The name must be: ${PRINTABLE_REASON}`;

/** A name of 1 to 255 printable characters without space at its ends. */
export const name = z
  .string()
  .min(1)
  .max(NAME_CHARS_MAX)
  .refine((text) => PRINTABLE_TRIMMED.test(text), { error: NAME_REFUSED, params: { whole: true } });

export const description = z.string().max(NAME_CHARS_MAX).regex(PRINTABLE).nullable();

/** Text of any length that has printable characters alone. */
export const printable = (charsMax: number) => z.string().max(charsMax).regex(PRINTABLE);

const TRUE_WORDS = ['True', 'TRUE', 'true', '1', 'ON', 'On', 'on', 'YES', 'Yes', 'yes'];
const FALSE_WORDS = ['False', 'FALSE', 'false', '0', 'OFF', 'Off', 'off', 'NO', 'No', 'no'];

/** A boolean, or one of the words that Nova takes for one. */
export const boolean = z
  .union([z.boolean(), z.enum([...TRUE_WORDS, ...FALSE_WORDS] as [string, ...string[]])])
  .transform((value) => value === true || (typeof value === 'string' && TRUE_WORDS.includes(value)));

/** Whether a word of a query means yes; any other word, and none, means the default. */
export function booleanWord(word: string | undefined, otherwise: boolean): boolean {
  if (word === undefined) return otherwise;
  const lower = word.trim().toLowerCase();
  if (['1', 't', 'true', 'on', 'y', 'yes'].includes(lower)) return true;
  if (['0', 'f', 'false', 'off', 'n', 'no'].includes(lower)) return false;
  return otherwise;
}

/** An integer, or its digits in a string, within bounds. */
export const integer = (min: number, max: number) =>
  z
    .union([z.int(), z.string().regex(/^-?[0-9]+$/)])
    .transform(Number)
    .pipe(z.int().min(min).max(max));

const METADATA_KEY = /^[a-zA-Z0-9\-_:. ]{1,255}$/;
export const isMetadataKey = (key: string): boolean => METADATA_KEY.test(key);

/** Keys and values of at most 255 characters. */
export const metadata = z.record(z.string().regex(METADATA_KEY), z.string().max(255));

export const uuid = z
  .string()
  .regex(/^(urn:)?(uuid:)?\{?[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\}?$/, 'is not a UUID')
  .transform((text) =>
    text
      .replace(/^(urn:)?(uuid:)?/, '')
      .replace(/[{}-]/g, '')
      .toLowerCase(),
  )
  .transform((hex) => hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'));

/** An IPv6 address, in its one usual text. */
export const ipv6Address = z.ipv6().transform((text) => {
  const ip = parseIp(text);
  return ip ? formatIp(ip) : text;
});
export const ipAddress = z.union([z.ipv4(), z.ipv6()]);
export const tag = z
  .string()
  .min(1)
  .max(TAG_CHARS_MAX)
  .regex(/^[^,/]*$/);
export const fqdn = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[a-zA-Z0-9\-._]*$/);
export const hostname = z
  .string()
  .min(2)
  .max(63)
  .regex(/^[a-zA-Z0-9]+[a-zA-Z0-9-]*[a-zA-Z0-9]+$/);
/** From 2.94 with its domain. */
export const domainHostname = z
  .string()
  .min(2)
  .max(255)
  .regex(/^[a-zA-Z0-9]+[a-zA-Z0-9-.]*[a-zA-Z0-9]+$/);
export const diskConfig = z.enum(['AUTO', 'MANUAL']);
