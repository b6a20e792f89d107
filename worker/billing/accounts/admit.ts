import { type SQL, sql } from 'drizzle-orm';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { HOUR_MS, intervalEnd } from '../rating/calendar.ts';
import { costOf, type Offer } from '../reports/quote.ts';
import { available, unclaimed } from './available.ts';
import { accountOf, ensureAccount } from './default-account.ts';

/** A claim that no purchase has taken so long after the end of its first interval is of a create that came to nothing. */
const HOLD_AFTER_MS = 2 * HOUR_MS;

const unaffordable = () =>
  forbidden('The balance of this project’s billing account does not hold what this costs: pay in, or use less.');
const insolvent = () =>
  forbidden(
    'This project’s billing account is used up or suspended: pay in, or ask your operator. Stopping and deleting go on.',
  );

/** What is to be made, and for whom. */
export interface Claimant {
  projectId: string;
  resourceId: string;
  quantity?: number;
}

/**
 * Statements for the batch of a create, or of a change to what costs more: it is refused (403) unless the account has the
 * price of a first interval that nobody else has claimed, and claims it until the first purchase of the resource. Batches are one
 * after the other, so however many race, what they claim together is never more than there is. Accounts without a limit pass.
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
      'billing-affordable',
      sql`EXISTS (SELECT 1 ${account} AND (${left} IS NULL OR (account.currency = ${currency} AND ${left} >= ${price} AND ${left} > 0)))`,
      unaffordable(),
    ),
    ctx.db.run(sql`INSERT INTO billing_holds (resource_id, region, account_id, currency, amount_micros, expires_at_ms)
      SELECT ${of.resourceId}, ${ctx.region}, account.id, ${currency}, ${price}, ${end + HOLD_AFTER_MS} ${account}
      ON CONFLICT (resource_id) DO UPDATE SET amount_micros = max(amount_micros, excluded.amount_micros), expires_at_ms = excluded.expires_at_ms`),
  ];
}

/**
 * A statement for the batch of what begins or goes on to cost something: it is refused (403) while the project's account is
 * suspended, or may spend nothing more. Operators pass.
 * @param projectId - whose account is asked
 */
export function requireSolvent(ctx: ActorContext, projectId: string | SQL): Statement[] {
  if (isAdmin(ctx)) return [];
  const sells = sql`EXISTS (SELECT 1 FROM billing_products WHERE region = ${ctx.region} AND automatic = 1 AND retired_at_ms IS NULL)`;
  const insolventAccount = sql`SELECT 1 FROM billing_account_projects link JOIN billing_accounts account ON account.id = link.account_id
    WHERE link.region = ${ctx.region} AND link.project_id = ${projectId}
      AND (account.suspended_at_ms IS NOT NULL OR (${available('account', ctx.clock.nowMs())} <= 0 AND ${sells}))`;
  return [assertThat(ctx.db, 'billing-solvent', sql`NOT EXISTS (${insolventAccount})`, insolvent())];
}

/** Both, for a new resource that is one of its kind. */
export const requireAffordable = (
  ctx: ActorContext,
  offer: Offer | null,
  row: { id: string; projectId: string },
): Statement[] => [
  ...requireSolvent(ctx, row.projectId),
  ...admit(ctx, offer, { projectId: row.projectId, resourceId: row.id }),
];
