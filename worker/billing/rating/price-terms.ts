import { z } from 'zod';
import { isDecimal } from '../../../shared/money.ts';

/** Tiers of a price, and states that it weighs. */
const TIERS_MAX = 50;
const STATES_MAX = 20;

/** A decimal number of zero or more, as text: no number of JSON is exact. */
export const decimal = z
  .string()
  .refine((text) => isDecimal(text) && !text.startsWith('-'), 'Write a decimal number as text, as "0.035".');

const tier = z.strictObject({
  /** The quantity up to which, and with which, it holds; null: all that is more. */
  up_to: decimal.nullable(),
  unit_price: decimal,
  /** Once, where the quantity comes into it. */
  flat: decimal.default('0'),
});

const common = {
  /** Of a month, free of charge. */
  included: decimal.default('0'),
  /** What a month costs at least in which there was any of it. */
  minimum: decimal.default('0'),
  /** How much of the price is asked for a state; a state without a weight costs all of it. */
  weights: z
    .record(z.string().min(1).max(32), decimal)
    .refine((weights) => Object.keys(weights).length <= STATES_MAX, `At most ${STATES_MAX} states have weights.`)
    .default({}),
};

const tiers = z
  .array(tier)
  .min(1)
  .max(TIERS_MAX)
  .superRefine((list, at) => {
    const bounds = list.map((one) => one.up_to);
    if (bounds.at(-1) !== null || bounds.slice(0, -1).includes(null))
      at.addIssue({ code: 'custom', message: 'The last tier, and no other, has an up_to of null.' });
    else if (!rising(bounds.slice(0, -1) as string[]))
      at.addIssue({ code: 'custom', message: 'Each tier must end after the one before it.' });
  });

/** What a product costs; amounts in major units of its currency. */
export const priceTerms = z.discriminatedUnion('model', [
  /** An amount for a month in which there was any. */
  z.strictObject({ model: z.literal('flat'), amount: decimal, ...common }),
  z.strictObject({ model: z.literal('per_unit'), unit_price: decimal, ...common }),
  /** All of the quantity at the price of the tier that it comes to. */
  z.strictObject({ model: z.literal('volume'), tiers, ...common }),
  /** Each part of the quantity at the price of its own tier. */
  z.strictObject({ model: z.literal('graduated'), tiers, ...common }),
]);
export type PriceTerms = z.infer<typeof priceTerms>;
export type Tier = z.infer<typeof tier>;

function rising(bounds: string[]): boolean {
  // Long enough for each digit that a decimal may have: texts of equal length compare as numbers do.
  const padded = bounds.map((text) => {
    const [whole = '', fraction = ''] = text.split('.');
    return `${whole.padStart(20, '0')}.${fraction.padEnd(20, '0')}`;
  });
  return padded.every((text, at) => text > (padded[at - 1] ?? `${'0'.repeat(20)}.${'0'.repeat(20)}`));
}
