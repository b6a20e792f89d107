import { sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { unclaimed } from '../accounts/available.ts';
import { accountOf, ensureAccount } from '../accounts/default-account.ts';
import { HOUR_MS, intervalEnd } from '../rating/calendar.ts';
import { costOf, type Offer } from '../reports/quote.ts';
import { requireSolvent } from './require-solvent.ts';

/** A claim that no purchase has taken so long after the end of its first interval is of a create that came to nothing. */
const HOLD_AFTER_MS = 2 * HOUR_MS;

const unaffordable = () =>
  forbidden('The balance of this project’s billing account does not hold what this costs: pay in, or use less.');

/** What is to be made, or to cost more, and for whom. */
export interface Claimant {
  projectId: string;
  resourceId: string;
  quantity?: number;
}

/** What a resource costs from now to the end of the interval, in micros. @param weight - of its state */
export function firstInterval(ctx: Context, offer: Offer, quantity = 1, weight = '1'): bigint {
  const now = ctx.clock.nowMs();
  return costOf(offer, intervalEnd(offer.product.interval, now) - now, quantity, now, weight);
}

/**
 * Statements for the batch of a create, or of a change to what costs more: it is refused (403) unless the account has the
 * price of a first interval that nobody else has claimed, and claims it until the first purchase of the resource by that
 * product. Batches are one after the other, so however many race, what they claim together is never more than there is. What the
 * resource has claimed for the same product already is not asked for twice. Accounts without a limit pass.
 * @param offer - as `offerFor` found it
 * @param micros - what is claimed, if it is not the whole price
 * @returns none where the resource costs nothing
 */
export function admit(ctx: Context, offer: Offer | null, of: Claimant, micros?: bigint): Statement[] {
  if (offer?.product.kind !== 'time') return [];
  const now = ctx.clock.nowMs();
  const { id: productId, interval, currency } = offer.product;
  const expiresMs = intervalEnd(interval, now) + HOLD_AFTER_MS;
  const price = Number(micros ?? firstInterval(ctx, offer, of.quantity));
  const own = sql`resource_id = ${of.resourceId} AND product_id = ${productId}`;
  const left = unclaimed('account', now, own);
  const needed = sql`max(${price}, coalesce((SELECT amount_micros FROM billing_holds WHERE ${own} AND expires_at_ms > ${now}), 0))`;
  const account = sql`FROM billing_accounts account WHERE account.id = ${accountOf(ctx.region, of.projectId)}`;
  return [
    ...ensureAccount(ctx, of.projectId),
    assertThat(
      ctx.db,
      'billing-affordable',
      sql`EXISTS (SELECT 1 ${account} AND (${left} IS NULL OR (account.currency = ${currency} AND ${left} >= ${needed} AND ${left} > 0)))`,
      unaffordable(),
    ),
    ctx.db.run(sql`INSERT INTO billing_holds (resource_id, product_id, region, account_id, currency, amount_micros, expires_at_ms)
      SELECT ${of.resourceId}, ${productId}, ${ctx.region}, account.id, ${currency}, ${price}, ${expiresMs} ${account}
      ON CONFLICT (resource_id, product_id) DO UPDATE SET account_id = excluded.account_id, currency = excluded.currency,
        amount_micros = CASE WHEN expires_at_ms > ${now} THEN max(amount_micros, excluded.amount_micros) ELSE excluded.amount_micros END,
        expires_at_ms = max(expires_at_ms, excluded.expires_at_ms)`),
  ];
}

/** For a new resource that is one of its kind: that its account is neither used up nor suspended, and holds the price. */
export const requireAffordable = (
  ctx: ActorContext,
  offer: Offer | null,
  row: { id: string; projectId: string },
): Statement[] => [
  ...requireSolvent(ctx, row.projectId),
  ...admit(ctx, offer, { projectId: row.projectId, resourceId: row.id }),
];
