import fc from 'fast-check';
import type { z } from 'zod';
import { BORDERS, PLAIN, placeholderOf, sampled } from './candidates.ts';

/** The one that a candidate must please: a schema, or a parser of attributes. */
type Takes = (value: unknown) => boolean;
type Schema = z.core.$ZodTypes;

const inner = (schema: unknown): Schema => schema as Schema;
const ITEMS_MAX = 2;
/** Members that need not be there, in most bodies: more of them contradict each other. */
const FEW = 3;
const SHAPED = new Set(['object', 'array', 'record', 'lazy']);

/**
 * Valid values of a schema: those that stand for objects are their kinds in braces, to be filled in when they are sent.
 * @param path - the members that lead there, which tell what a text is about
 * @throws where no value is known that the schema takes: add one to the candidates
 */
export function valuesOf(schema: z.ZodType | Schema, path: readonly string[] = []): fc.Arbitrary<unknown> {
  const found = inner(schema);
  if (!isShaped(found)) return candidatesFor((value) => takes(found, value), path, namesIn(found));
  const { def } = found._zod;
  switch (def.type) {
    case 'object':
      return members(def.shape as Record<string, Schema>, path, isOpen(def.catchall));
    case 'array': {
      const minimum = lengthMin(found);
      return fc.array(valuesOf(inner(def.element), path), { minLength: minimum, maxLength: minimum + ITEMS_MAX });
    }
    case 'record': {
      const entry = fc.tuple(valuesOf(inner(def.keyType), []), valuesOf(inner(def.valueType), []));
      return fc.array(entry, { maxLength: ITEMS_MAX }).map((entries) => Object.fromEntries(entries));
    }
    case 'union':
      return fc.oneof(...def.options.map((option) => valuesOf(inner(option), path)));
    case 'nullable':
      return fc.oneof(
        { weight: 5, arbitrary: valuesOf(inner(def.innerType), path) },
        { weight: 1, arbitrary: fc.constant(null) },
      );
    case 'pipe':
      return valuesOf(inner(inner(def.in)._zod.def.type === 'transform' ? def.out : def.in), path);
    case 'lazy':
      return valuesOf(inner(def.getter()), path);
    case 'optional':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      return valuesOf(inner(def.innerType), path);
    default:
      throw new Error(`${path.join('.')}: nothing is known of ${def.type}`);
  }
}

/** Those candidates that are taken, mostly plain ones. @throws where there is none */
export function candidatesFor(
  accepts: Takes,
  path: readonly string[],
  more: readonly unknown[] = [],
): fc.Arbitrary<unknown> {
  const own = placeholderOf(path);
  const taken = (values: readonly unknown[]) => values.filter((value) => sampled(value).some(accepts));
  const named = taken([...(own === undefined ? [] : [own]), ...more]);
  const plain = taken(PLAIN);
  const borders = taken(BORDERS);
  if (named.length + plain.length + borders.length === 0) {
    throw new Error(`${path.join('.')}: no value is known that it takes; add one to candidates.ts`);
  }
  const weighed = [
    { weight: 8, values: named },
    { weight: 2, values: plain },
    { weight: 1, values: borders },
  ].filter(({ values }) => values.length > 0);
  return fc.oneof(...weighed.map(({ weight, values }) => ({ weight, arbitrary: fc.constantFrom(...values) })));
}

/** An object with what it must have, and some of what it may have. */
function members(shape: Record<string, Schema>, path: readonly string[], open: boolean): fc.Arbitrary<unknown> {
  const isOptional = (key: string) => shape[key]?._zod.optin === 'optional';
  const all = Object.fromEntries(Object.entries(shape).map(([key, one]) => [key, valuesOf(one, [...path, key])]));
  return some(
    all,
    Object.keys(shape).filter((key) => !isOptional(key)),
    open,
  );
}

/** A record with all required keys and a few of the others; where it is open, sometimes with what nobody has named. */
export function some(
  all: Record<string, fc.Arbitrary<unknown>>,
  required: readonly string[],
  open = false,
): fc.Arbitrary<Record<string, unknown>> {
  const others = Object.keys(all).filter((key) => !required.includes(key));
  const only = (keys: readonly string[]) =>
    fc.record(Object.fromEntries(keys.map((key) => [key, all[key] as fc.Arbitrary<unknown>])));
  // Nearly all that ask for nothing ask for something, though.
  const minLength = required.length === 0 ? Math.min(others.length, 1) : 0;
  const few = fc
    .subarray(others, { minLength, maxLength: Math.min(others.length, FEW) })
    .chain((chosen) => only([...required, ...chosen]));
  const named = fc.oneof(
    { weight: required.length === 0 ? 1 : 2, arbitrary: only(required) },
    { weight: 5, arbitrary: few },
    { weight: 1, arbitrary: only([...required, ...others]) },
  );
  if (!open) return named;
  const extra = fc.constantFrom({}, {}, { x_colour: 'blue' }, { 'x \u{1f600}': 'y'.repeat(255) });
  return fc.tuple(named, extra).map(([one, more]) => ({ ...one, ...more }));
}

/** Items that a list must have. */
function lengthMin({ _zod: { def } }: Schema): number {
  const checks = (def.checks ?? []).map((check) => check._zod.def as { check: string; minimum?: number });
  return Math.max(0, ...checks.map(({ check, minimum = 0 }) => (check === 'min_length' ? minimum : 0)));
}

const takes = (schema: Schema, value: unknown): boolean => (schema as unknown as z.ZodType).safeParse(value).success;
const isOpen = (catchall: unknown): boolean => catchall !== undefined && inner(catchall)._zod.def.type !== 'never';

/** Whether anything within a schema is an object or a list. */
function isShaped(schema: Schema): boolean {
  const { def } = schema._zod;
  if (SHAPED.has(def.type)) return true;
  if (def.type === 'union') return def.options.some((option) => isShaped(inner(option)));
  if (def.type === 'pipe') return isShaped(inner(def.in)) || isShaped(inner(def.out));
  return 'innerType' in def && isShaped(inner(def.innerType));
}

/** The words that a schema names itself. */
function namesIn(schema: Schema): unknown[] {
  const { def } = schema._zod;
  if (def.type === 'enum') return Object.values(def.entries);
  if (def.type === 'literal') return [...def.values];
  if (def.type === 'union') return def.options.flatMap((option) => namesIn(inner(option)));
  if (def.type === 'pipe') return [...namesIn(inner(def.in)), ...namesIn(inner(def.out))];
  return 'innerType' in def ? namesIn(inner(def.innerType)) : [];
}
