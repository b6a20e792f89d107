import { sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { HOUR_MS, intervalEnd } from '../rating/calendar.ts';
import { costOf, type Offer } from '../reports/quote.ts';
import { unclaimed } from './available.ts';
import { accountOf, ensureAccount } from './default-account.ts';

/** What fails the batch of a create that the account cannot pay for. */
export const AFFORDABLE = 'billing-affordable';
/** A claim that no purchase has taken so long after the end of its first interval is of a create that came to nothing. */
const HOLD_AFTER_MS = 2 * HOUR_MS;

/** What is to be made, and for whom. */
export interface Claimant {
  projectId: string;
  resourceId: string;
  quantity?: number;
}

/**
 * Statements for the batch of a create: it fails with `AFFORDABLE` unless the account has the price of a first interval that
 * no other create has claimed, and claims it until the first purchase of the resource. Batches are one after the other, so
 * however many creates race, what they claim together is never more than there is. Accounts without a limit pass.
 * @param offer - as `offerFor` found it
 * @returns none where the resource costs nothing
 */
export function admit(ctx: Context, offer: Offer | null, of: Claimant): Statement[] {
  if (offer?.product.kind !== 'time') return [];
  const now = ctx.clock.nowMs();
  const { interval, currency } = offer.product;
  const end = intervalEnd(interval, now);
  const price = Number(costOf(offer, end - now, of.quantity ?? 1, now));
  const left = unclaimed('account', now);
  const account = sql`FROM billing_accounts account WHERE account.id = ${accountOf(ctx.region, of.projectId)}`;
  return [
    ...ensureAccount(ctx, of.projectId),
    assertThat(
      ctx.db,
      AFFORDABLE,
      sql`EXISTS (SELECT 1 ${account} AND (${left} IS NULL OR (account.currency = ${currency} AND ${left} >= ${price} AND ${left} > 0)))`,
    ),
    ctx.db.run(sql`INSERT INTO billing_holds (resource_id, region, account_id, currency, amount_micros, expires_at_ms)
      SELECT ${of.resourceId}, ${ctx.region}, account.id, ${currency}, ${price}, ${end + HOLD_AFTER_MS} ${account} ON CONFLICT (resource_id) DO NOTHING`),
  ];
}
