import { describe, expect, it } from 'vitest';
import { formatRational, parseDecimal, rational } from '../../../shared/money.ts';
import { priceTerms } from './price-terms.ts';
import { rateQuantity } from './rate-quantity.ts';

const WHOLE = rational(1n);
const cost = (terms: Record<string, unknown>, quantity: string, share = WHOLE) =>
  formatRational(rateQuantity(priceTerms.parse(terms), parseDecimal(quantity), share), 12);

const perUnit = { model: 'per_unit', unit_price: '0.035' };
const tiers = [
  { up_to: '10', unit_price: '1' },
  { up_to: '100', unit_price: '0.5', flat: '2' },
  { up_to: null, unit_price: '0.1' },
];

describe('prices', () => {
  it.each([
    ['nothing', perUnit, '0', '0'],
    ['a unit', perUnit, '1', '0.035'],
    ['a part', perUnit, '0.000001', '0.000000035'],
    ['within the allowance', { ...perUnit, included: '10' }, '10', '0'],
    ['beyond it', { ...perUnit, included: '10' }, '10.5', '0.0175'],
    ['at least', { ...perUnit, minimum: '5' }, '1', '5'],
    ['more than at least', { ...perUnit, minimum: '5' }, '1000', '35'],
    ['at least, of an allowance too', { ...perUnit, included: '10', minimum: '5' }, '1', '5'],
    ['at least, but of nothing', { ...perUnit, minimum: '5' }, '0', '0'],
    ['flat, of a little', { model: 'flat', amount: '9.99' }, '0.001', '9.99'],
    ['flat, of a lot', { model: 'flat', amount: '9.99' }, '100000', '9.99'],
    ['flat, of nothing', { model: 'flat', amount: '9.99' }, '0', '0'],
    ['graduated, in the first', { model: 'graduated', tiers }, '9', '9'],
    ['graduated, at the bound', { model: 'graduated', tiers }, '10', '10'],
    ['graduated, just beyond', { model: 'graduated', tiers }, '10.001', '12.0005'],
    ['graduated, at the next bound', { model: 'graduated', tiers }, '100', '57'],
    ['graduated, in the last', { model: 'graduated', tiers }, '200', '67'],
    ['graduated, allowance first', { model: 'graduated', tiers, included: '5' }, '15', '10'],
    ['volume, in the first', { model: 'volume', tiers }, '10', '10'],
    ['volume, just beyond', { model: 'volume', tiers }, '10.001', '7.0005'],
    ['volume, at the next bound', { model: 'volume', tiers }, '100', '52'],
    ['volume, in the last', { model: 'volume', tiers }, '1000', '100'],
  ])('of %s', (_, terms, quantity, amount) => {
    expect(cost(terms, quantity)).toBe(amount);
  });

  it('of half a month have half the allowance, the minimum, the flat amounts and the tiers', () => {
    const half = rational(1n, 2n);
    expect(cost({ ...perUnit, included: '10' }, '10', half)).toBe('0.175');
    expect(cost({ ...perUnit, minimum: '5' }, '1', half)).toBe('2.5');
    expect(cost({ model: 'flat', amount: '9.99' }, '1', half)).toBe('4.995');
    expect(cost({ model: 'graduated', tiers }, '10', half)).toBe('8.5');
    expect(cost({ model: 'volume', tiers }, '50', half)).toBe('26');
  });

  it.each<[Record<string, unknown>, string]>([
    [{ ...perUnit, unit_price: 0.1 }, 'a number'],
    [{ ...perUnit, unit_price: '-1' }, 'less than nothing'],
    [{ ...perUnit, unit_price: '1e3' }, 'an exponent'],
    [{ model: 'graduated', tiers: [] }, 'no tiers'],
    [{ model: 'graduated', tiers: tiers.slice(0, 2) }, 'no end'],
    [{ model: 'graduated', tiers: [tiers[1], tiers[0], tiers[2]] }, 'out of order'],
    [{ model: 'graduated', tiers: [tiers[0], tiers[0], tiers[2]] }, 'twice'],
    [{ model: 'graduated', tiers: [{ up_to: '0', unit_price: '1' }, tiers[2]] }, 'an empty tier'],
    [{ model: 'graduated', tiers: [tiers[2], tiers[2]] }, 'two ends'],
    [{ model: 'gold' }, 'another model'],
    [{ ...perUnit, colour: 'red' }, 'another member'],
  ])('are not %j: %s', (terms) => {
    expect(priceTerms.safeParse(terms).success).toBe(false);
  });

  it('order tiers as numbers, not as texts', () => {
    const of = (bounds: string[]) => ({
      model: 'volume',
      tiers: [...bounds, null].map((up_to) => ({ up_to, unit_price: '1' })),
    });
    expect(priceTerms.safeParse(of(['9', '10', '10.5', '100'])).success).toBe(true);
    expect(priceTerms.safeParse(of(['10', '9'])).success).toBe(false);
    expect(priceTerms.safeParse(of(['1', '1.0'])).success).toBe(false);
  });
});
