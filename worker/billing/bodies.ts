import { z } from 'zod';
import { WINDOW_MS } from '../../shared/meters.ts';
import {
  compare,
  currencyExponent,
  isDecimal,
  parseDecimal,
  rational,
  roundToMinor,
  storedMicros,
  toMicros,
} from '../../shared/money.ts';
import { ApiError } from '../http/errors.ts';
import { DAY_MS, monthStart } from './rating/calendar.ts';
import { priceTerms } from './rating/price-terms.ts';
import { isMeter, TIME_UNITS, volumeUnits } from './rating/units.ts';

const NAME_LENGTH_MAX = 128;
const REFERENCE_LENGTH_MAX = 128;
/** An order size or a quantity beyond it is a slip. */
const SIZE_MAX = 2 ** 50;
const THRESHOLDS_MAX = 10;
const THRESHOLD_PERCENT_MAX = 1000;

const name = z.string().trim().min(1).max(NAME_LENGTH_MAX);
const id = z.string().min(1).max(NAME_LENGTH_MAX);
const currency = z
  .string()
  .refine((code) => currencyExponent(code) !== null, 'Name a currency by its code of ISO 4217, as EUR.');
const size = z.int().min(1).max(SIZE_MAX);
const moment = z.iso.datetime({ offset: true }).transform((text) => Date.parse(text));
const reason = z.string().trim().min(1, 'Say why: a reason is required.').max(1000);
/** An amount in major units, as text; more than nothing. */
const amount = z
  .string()
  .refine(
    (text) => isDecimal(text) && compare(parseDecimal(text), rational(0n)) > 0,
    'Write an amount as text, as "12.50".',
  );
/** Names a movement, so that it is done once however often it is sent. */
const reference = z
  .string()
  .regex(/^[\w.:/-]+$/, 'A reference is of letters, digits and .:/-_')
  .max(REFERENCE_LENGTH_MAX);

/** The price's start: a full hour, so that no window of a meter is of two prices. */
const effectiveFrom = moment.refine((ms) => ms % WINDOW_MS === 0, 'A price begins with a full hour.');
const price = z.strictObject({ effective_from: effectiveFrom, terms: priceTerms });
export const priceBody = z.strictObject({ price });
export type NewPrice = z.infer<typeof price>;

const product = z
  .strictObject({
    name,
    item: id,
    item_type: id.default('default'),
    order_unit: z.string(),
    order_size: size.default(1),
    quantity_per: size.default(1),
    interval: z.enum(['hourly', 'daily', 'monthly']).default('hourly'),
    prepaid: z.boolean().default(false),
    currency,
    automatic: z.boolean().default(true),
    price: price.optional(),
  })
  .superRefine((of, at) => {
    const refuse = (path: string, message: string) => at.addIssue({ code: 'custom', path: [path], message });
    const units = isMeter(of.item) ? volumeUnits(of.item) : TIME_UNITS;
    if (units.length === 0) refuse('item', `${of.item} is a mean, which is not used up: it cannot be sold.`);
    else if (!(units as readonly string[]).includes(of.order_unit))
      refuse('order_unit', `${of.item} is priced by ${units.join(', ')}.`);
    if (!isMeter(of.item)) return;
    if (of.item_type !== 'default') refuse('item_type', 'What is metered has no types: leave it out.');
    if (of.prepaid) refuse('prepaid', 'What is metered is known only afterwards: it cannot be prepaid.');
  });
export const productBody = z.strictObject({ product });
export type NewProduct = z.infer<typeof product>;

export const subscriptionBody = z.strictObject({
  subscription: z.strictObject({
    project_id: id,
    product_id: id,
    resource_id: id,
    resource_name: z.string().max(255).default(''),
    quantity: size.default(1),
  }),
});
export type NewSubscription = z.infer<typeof subscriptionBody>['subscription'];

/** A mark of a balance, in major units; null: none. */
const mark = amount.or(z.literal('0')).nullable();
const GRACE_HOURS_MAX = 24 * 365;
const DELETE_AFTER_DAYS_MAX = 3650;
const graceHours = z.int().min(0).max(GRACE_HOURS_MAX).nullable();
const deleteAfterDays = z.int().min(1).max(DELETE_AFTER_DAYS_MAX).nullable();

export const defaultsBody = z.strictObject({
  defaults: z.strictObject({
    mode: z.enum(['prepaid', 'postpaid']),
    currency,
    credit_limit: mark.default(null),
    low_balance: mark.default(null),
    grace_hours: graceHours.default(null),
    delete_after_days: deleteAfterDays.default(null),
  }),
});
export type NewDefaults = z.infer<typeof defaultsBody>['defaults'];

export const accountPatch = z.strictObject({
  account: z.strictObject({
    name: name.optional(),
    mode: z.enum(['prepaid', 'postpaid']).optional(),
    currency: currency.optional(),
    credit_limit: mark.optional(),
    low_balance: mark.optional(),
    grace_hours: graceHours.optional(),
    delete_after_days: deleteAfterDays.optional(),
  }),
});
export type AccountPatch = z.infer<typeof accountPatch>['account'];

const movement = z.strictObject({ amount, currency, reference, description: z.string().max(1000).default('') });
export const movementBody = z.strictObject({ movement });
export type Movement = z.infer<typeof movement>;

export const voucherBody = z.strictObject({
  voucher: z.strictObject({ amount, currency, expires_at: moment, reason, reference }),
});
export type NewVoucher = z.infer<typeof voucherBody>['voucher'];

export const budgetBody = z.strictObject({
  budget: z.strictObject({
    name,
    amount,
    currency,
    thresholds: z
      .array(z.int().min(1).max(THRESHOLD_PERCENT_MAX))
      .min(1)
      .max(THRESHOLDS_MAX)
      .transform((list) => [...new Set(list)].sort((a, b) => a - b))
      .default([50, 80, 100]),
  }),
});
export type NewBudget = z.infer<typeof budgetBody>['budget'];

export const quoteBody = z.strictObject({
  quote: z.strictObject({
    /** What is to be made: an item of products, as `server` with a flavor's name. */
    item: id,
    item_type: id.default('default'),
    count: z.int().min(1).max(1000).default(1),
    quantity: size.default(1),
  }),
});
export type QuoteRequest = z.infer<typeof quoteBody>['quote'];

/** Days that one report may cover: its rows are bounded by them. */
const REPORT_DAYS_MAX = 400;
export const reportQuery = z.strictObject({
  project_id: id.optional(),
  /** This month so far, where nothing is said. */
  from: moment.optional(),
  to: moment.optional(),
  period: z.enum(['hours', 'days', 'months']).default('days'),
  item: id.optional(),
  resource_id: id.optional(),
});
export type ReportQuery = z.infer<typeof reportQuery> & { from: number; to: number };

/** A report's time, whole. @throws ApiError 400 for one that ends before it begins, or is too long */
export function reportOf(query: z.infer<typeof reportQuery>, nowMs: number): ReportQuery {
  const { to = nowMs, from = Math.min(monthStart(nowMs), to - 1) } = query;
  if (from >= to) throw new ApiError(400, 'from must be before to.');
  if (to - from > REPORT_DAYS_MAX * DAY_MS) throw new ApiError(400, `A report covers ${REPORT_DAYS_MAX} days at most.`);
  return { ...query, from, to };
}

/** An amount that a client wrote, in micros. @throws ApiError 400 where it has more digits than the currency */
export function microsOf(text: string, code: string): number {
  const micros = toMicros(parseDecimal(text));
  try {
    const exact = compare(parseDecimal(text), rational(micros, 1_000_000n)) === 0;
    if (exact && roundToMinor(micros, code) === micros) return storedMicros(micros);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  throw new ApiError(400, `${text} ${code} is no amount that can be paid: it has too many digits.`);
}

/** The same of a mark that there need not be. */
export const markOf = (text: string | null, code: string): number | null =>
  text === null ? null : microsOf(text, code);
