import { z } from 'zod';

/** Attributes that a client adds of its own, as JSON. */
const EXTRA_CHARS_MAX = 16_384;
const DESCRIPTION_CHARS_MAX = 4_096;
const NAME_CHARS_MAX = 64;
const LONG_NAME_CHARS_MAX = 255;
const TAGS_MAX = 80;

const named = (charsMax: number) =>
  z
    .string()
    .min(1, 'it is too short')
    .max(charsMax, `it is longer than ${charsMax} characters`)
    .regex(/\S/, 'it is only white space')
    .transform((name) => name.trim());

/** A project's or domain's name. */
export const shortName = named(NAME_CHARS_MAX);
/** A user's or role's name. */
export const longName = named(LONG_NAME_CHARS_MAX);
export const description = z.string().max(DESCRIPTION_CHARS_MAX).nullable();
export const id = z.string().regex(/^[a-zA-Z0-9-]{1,64}$/, 'it is not an id');

export const tag = z
  .string()
  .min(1, 'it is too short')
  .max(LONG_NAME_CHARS_MAX)
  .regex(/^[^,/]*$/, 'a tag has no comma and no slash');
export const tags = z
  .array(tag)
  .max(TAGS_MAX, `there are more than ${TAGS_MAX} tags`)
  .refine((all) => new Set(all).size === all.length, 'a tag stands there twice');

const option = z.boolean().nullable();
/** The option that domains, projects and roles have. */
export const resourceOptions = z.strictObject({ immutable: option.optional() });

export type Extra = Record<string, unknown>;

/** The members that are not attributes of ours; undefined when there are none. */
export function extraOf(input: Record<string, unknown>, known: readonly string[]): Extra | undefined {
  const extra = Object.entries(input).filter(([key]) => !known.includes(key));
  return extra.length === 0 ? undefined : Object.fromEntries(extra);
}

/** Whether a client's own attributes are small enough to keep. */
export const fits = (input: object): boolean => JSON.stringify(input).length <= EXTRA_CHARS_MAX;
export const TOO_MUCH = `its attributes take more than ${EXTRA_CHARS_MAX} characters`;

/** Options or extra attributes after a change: null takes one away. */
export function merged(before: Extra, change: Extra = {}): Extra {
  return Object.fromEntries(Object.entries({ ...before, ...change }).filter(([, value]) => value !== null));
}
