import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { type Offer, offerFor } from '../reports/quote.ts';

const FREE = 'billing-free';

/**
 * Writes what begins to cost something where most regions ask nothing for it: first as if it were free, which the batch itself
 * makes sure of; only where it is not, its price is read, and it is written by that.
 * @param write - writes by an offer, with these statements, which come before its own
 */
export async function whilePriced<T>(
  ctx: Context,
  { item, itemType }: { item: string; itemType: string },
  write: (offer: Offer | null, free: Statement[]) => Promise<T>,
): Promise<T> {
  const sold = sql`SELECT 1 FROM billing_products WHERE region = ${ctx.region} AND item = ${item} AND item_type = ${itemType} AND automatic = 1 AND retired_at_ms IS NULL`;
  try {
    return await write(null, [assertThat(ctx.db, FREE, sql`NOT EXISTS (${sold})`)]);
  } catch (error) {
    if (!(error instanceof AssertionFailed && error.assertion === FREE)) throw error;
  }
  return write(await offerFor(ctx, item, itemType), []);
}
