import { z } from 'zod';
import { badRequest } from '../../http/errors.ts';
import { monthEnd, monthStart } from '../rating/calendar.ts';

/** Elements of a page, where none is asked for, and at most: who asks for more has as many. */
const PAGE_DEFAULT = 100;
export const PAGE_MAX = 10_000;
/** Values of one query parameter. */
const VALUES_MAX = 100;
const ISO = /^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,9})?)?)?(Z|[+-]\d{2}:?\d{2})?$/;

/** ISO 8601 as Python's clients write it too, with a space; UTC where it says no zone. */
export const moment = z.string().transform((text, at) => {
  const iso = ISO.exec(text);
  const zoned = text.length <= 10 || iso?.[1] !== undefined;
  const ms = iso ? Date.parse(`${text.replace(' ', 'T')}${zoned ? '' : 'Z'}`) : Number.NaN;
  if (!Number.isNaN(ms)) return ms;
  at.addIssue({ code: 'custom', message: `'${text.slice(0, 64)}' is no time: write it as 2026-01-31T00:00:00Z.` });
  return z.NEVER;
});

/** A parameter that is there once. */
const one = <T extends z.ZodType<unknown, string>>(schema: T) =>
  z
    .tuple([z.string()], 'It must be there once.')
    .transform(([text]) => text)
    .pipe(schema);
/** One that is there often, or a list of words between commas. */
const many = z
  .array(z.string())
  .transform((list) => list.flatMap((text) => text.split(',')).filter((text) => text !== ''))
  .refine((list) => list.length <= VALUES_MAX, `It takes ${VALUES_MAX} values at most.`);
/** `key:value` pairs: what has one key twice is either. */
const pairs = many.transform((list, at) => {
  const found = new Map<string, string[]>();
  for (const text of list) {
    const colon = text.indexOf(':');
    if (colon < 1) at.addIssue({ code: 'custom', message: `'${text.slice(0, 64)}' is no key:value.` });
    const [key, value] = [text.slice(0, colon), text.slice(colon + 1)];
    found.set(key, [...(found.get(key) ?? []), value]);
  }
  return found;
});
const word = z.string().max(255);
const whole = (min: number) => z.coerce.number<string>().int().min(min).max(Number.MAX_SAFE_INTEGER);
const flag = z
  .string()
  .toLowerCase()
  .pipe(z.enum(['true', 'false', '1', '0', 'yes', 'no']))
  .transform((text) => ['true', '1', 'yes'].includes(text));

const time = { begin: one(moment).optional(), end: one(moment).optional() };
const page = {
  offset: one(whole(0)).default(0),
  limit: one(whole(1).transform((limit) => Math.min(limit, PAGE_MAX))).default(PAGE_DEFAULT),
};

export const summaryQuery = z.strictObject({
  ...time,
  ...page,
  groupby: many.default([]),
  filters: pairs.default(new Map()),
  response_format: one(z.enum(['table', 'object'])).default('table'),
  /** As by CloudKitty where its storage does not take them: not looked at. */
  custom_fields: many.optional(),
});
export const dataframesQuery = z.strictObject({ ...time, ...page, filters: pairs.default(new Map()) });
export const scopeQuery = z.strictObject({
  ...page,
  scope_id: many.default([]),
  scope_key: many.default([]),
  fetcher: many.default([]),
  collector: many.default([]),
  active: many.pipe(z.array(z.enum(['0', '1'], 'It is 0 or 1.'))).default([]),
});
export const reprocessQuery = z.strictObject({
  ...page,
  scope_ids: many.default([]),
  order: one(
    z
      .string()
      .toLowerCase()
      .pipe(z.enum(['asc', 'desc'])),
  ).default('desc'),
});
const tenant = { tenant_id: one(word).optional(), all_tenants: one(flag).default(false) };
export const totalQuery = z.strictObject({ ...time, ...tenant, service: one(word).optional() });
export const reportQuery = z.strictObject({ ...totalQuery.shape, groupby: many.default([]) });
export const tenantsQuery = z.strictObject(time);
export const storageQuery = z.strictObject({
  ...time,
  tenant_id: one(word).optional(),
  resource_type: one(word).optional(),
});

/** A query's parameters by name, as often as they are there. */
export const parametersOf = (url: string): Record<string, string[]> => {
  const { searchParams } = new URL(url);
  return Object.fromEntries([...searchParams.keys()].map((name) => [name, searchParams.getAll(name)]));
};

/** Time that a call is about: this month, where nothing is said. @throws ApiError 400 it ends before it begins */
export function timeOf(query: { begin?: number | undefined; end?: number | undefined }, nowMs: number) {
  const fromMs = query.begin ?? monthStart(Math.min(nowMs, (query.end ?? nowMs + 1) - 1));
  const toMs = query.end ?? monthEnd(Math.max(nowMs, fromMs));
  if (fromMs >= toMs) throw badRequest('begin must be before end.');
  return { fromMs, toMs };
}
