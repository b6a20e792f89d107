import { type SQL, sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { type Offer, offerOf, offerRead } from '../reports/quote.ts';
import { admit, firstInterval } from './admit.ts';
import { requireSolvent } from './require-solvent.ts';

/** What `admitResize` decides by: what the server is charged by, and what it would be as a flavor of that name. */
export const resizeReads = (ctx: Context, serverId: string, flavorName: SQL): Statement[] => [
  offerRead(ctx, 'server', sql`(SELECT flavor ->> '$.name' FROM servers WHERE id = ${serverId})`),
  offerRead(ctx, 'server', flavorName),
];

/**
 * Statements for the batch of a resize: refused (403) while the account is used up or suspended, or where the new flavor is
 * dearer and the account does not hold its first interval. That is a claim of its own beside the one for the old flavor.
 * @param found - what `resizeReads` found
 */
export function admitResize(ctx: ActorContext, row: { id: string; projectId: string }, found: unknown[]): Statement[] {
  const [before, after] = (found as Record<string, unknown>[][]).map(offerOf);
  const solvent = requireSolvent(ctx, row.projectId);
  if (!after || (before && isNotDearer(ctx, before, after))) return solvent;
  return [...solvent, ...admit(ctx, after, { projectId: row.projectId, resourceId: row.id })];
}

/** First intervals of two lengths say nothing of each other: then it is asked for the new one, whatever it is. */
const isNotDearer = (ctx: Context, before: Offer, after: Offer): boolean =>
  before.product.currency === after.product.currency &&
  before.product.interval === after.product.interval &&
  firstInterval(ctx, after) <= firstInterval(ctx, before);
