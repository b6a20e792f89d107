import { ZERO } from '../../../shared/money.ts';
import type { PlannedPurchase } from '../rating/plan-visits.ts';
import { lineKey } from '../rating/rateable.ts';

/** A purchase, and whose it is. */
export interface OwnedPurchase extends PlannedPurchase {
  accountId: string;
}

/** What an account has paid of a line, all in all. */
export interface Payer {
  priceId: string;
  periodMs: number;
  accountId: string;
  micros: number;
}

/**
 * Says whose each purchase is: what is charged is the present account's; what is given back goes to those who paid the line,
 * the last one first, and is a purchase for each of them. So nobody is given what another paid.
 * @param payers - of the lines before the purchases, who paid last at the end
 */
export function splitRefunds(
  purchases: readonly PlannedPurchase[],
  payers: readonly Payer[],
  presentId: string,
): OwnedPurchase[] {
  const paid = payers.map((payer) => ({ ...payer }));
  /** By how much the revisions of a line are later than planned. */
  const later = new Map<string, number>();
  return purchases.flatMap((one) => {
    const key = lineKey(one);
    const ofLine = paid.filter((payer) => lineKey(payer) === key);
    const shift = later.get(key) ?? 0;
    if (one.amountMicros >= 0) {
      const { priceId, periodMs, amountMicros: micros } = one;
      paid.push({ priceId, periodMs, accountId: presentId, micros });
      return [{ ...one, accountId: presentId, revision: one.revision + shift }];
    }
    const parts = partsOf(-one.amountMicros, ofLine.reverse(), presentId);
    later.set(key, shift + parts.length - 1);
    let totalMicros = one.amountTotalMicros - one.amountMicros;
    return parts.map(({ accountId, micros }, at) => {
      totalMicros -= micros;
      return {
        ...one,
        ...{ accountId, amountMicros: -micros, amountTotalMicros: totalMicros, revision: one.revision + shift + at },
        quantity: at === 0 ? one.quantity : ZERO,
      };
    });
  });
}

/** Takes from each what there is of it, until all is taken; what nobody paid is the present account's. */
function partsOf(micros: number, payers: { accountId: string; micros: number }[], presentId: string) {
  const parts = new Map<string, number>();
  let left = micros;
  for (const payer of payers) {
    const part = Math.min(left, payer.micros);
    if (part <= 0) continue;
    payer.micros -= part;
    left -= part;
    parts.set(payer.accountId, (parts.get(payer.accountId) ?? 0) + part);
  }
  if (left > 0) parts.set(presentId, (parts.get(presentId) ?? 0) + left);
  return [...parts].map(([accountId, part]) => ({ accountId, micros: part }));
}
