import {
  add,
  compare,
  greater,
  lesser,
  multiply,
  parseDecimal,
  type Rational,
  subtract,
  ZERO,
} from '../../../shared/money.ts';
import type { PriceTerms, Tier } from './price-terms.ts';

/**
 * What a quantity of a month costs, exactly, in major units.
 * @param quantity - in the price's unit (order unit times order size), of the month so far
 * @param share - how much of the month the price is in force: so much of allowance, minimum and flat amounts it gives and asks
 */
export function rateQuantity(terms: PriceTerms, quantity: Rational, share: Rational): Rational {
  if (compare(quantity, ZERO) <= 0) return ZERO;
  const included = multiply(parseDecimal(terms.included), share);
  const charged = greater(subtract(quantity, included), ZERO);
  return greater(priceOf(terms, charged, share), multiply(parseDecimal(terms.minimum), share));
}

function priceOf(terms: PriceTerms, charged: Rational, share: Rational): Rational {
  if (terms.model === 'flat') return multiply(parseDecimal(terms.amount), share);
  if (compare(charged, ZERO) === 0) return ZERO;
  switch (terms.model) {
    case 'per_unit':
      return multiply(parseDecimal(terms.unit_price), charged);
    case 'volume': {
      const tier = terms.tiers.find(({ up_to }) => up_to === null || compare(charged, bound(up_to, share)) <= 0);
      return tier
        ? add(multiply(parseDecimal(tier.flat), share), multiply(parseDecimal(tier.unit_price), charged))
        : ZERO;
    }
    case 'graduated':
      return graduated(terms.tiers, charged, share);
  }
}

/** Tiers are of a month: of a part of it each is as much narrower. */
const bound = (upTo: string, share: Rational): Rational => multiply(parseDecimal(upTo), share);

function graduated(tiers: readonly Tier[], charged: Rational, share: Rational): Rational {
  let total = ZERO;
  let from = ZERO;
  for (const { up_to, unit_price, flat } of tiers) {
    if (compare(charged, from) <= 0) break;
    const to = up_to === null ? charged : lesser(charged, bound(up_to, share));
    total = add(
      total,
      add(multiply(parseDecimal(flat), share), multiply(parseDecimal(unit_price), subtract(to, from))),
    );
    from = to;
  }
  return total;
}
