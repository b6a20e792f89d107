import { sql } from 'drizzle-orm';
import type { Statement } from '../../http/commit.ts';
import type { ActorContext, Context } from '../../http/context.ts';
import { offerOf, offerRead } from '../reports/quote.ts';
import { admit, firstInterval } from './admit.ts';
import { requireSolvent } from './require-solvent.ts';

/** What `admitResize` decides by: what the server is charged by, and what it would be. */
export const resizeReads = (ctx: Context, serverId: string, flavorId: string): Statement[] => [
  offerRead(ctx, 'server', sql`(SELECT flavor ->> '$.name' FROM servers WHERE id = ${serverId})`),
  offerRead(ctx, 'server', sql`(SELECT name FROM flavors WHERE id = ${flavorId} AND region = ${ctx.region})`),
];

/**
 * Statements for the batch of a resize: refused (403) while the account is used up or suspended, or where the new flavor is
 * dearer and the account does not hold its first interval. That is a claim of its own beside the one for the old flavor.
 * @param found - what `resizeReads` found
 */
export function admitResize(ctx: ActorContext, row: { id: string; projectId: string }, found: unknown[]): Statement[] {
  const [before, after] = (found as Record<string, unknown>[][]).map(offerOf);
  const solvent = requireSolvent(ctx, row.projectId);
  if (!after || (before?.product.currency === after.product.currency && !dearer(ctx, before, after))) return solvent;
  return [...solvent, ...admit(ctx, after, { projectId: row.projectId, resourceId: row.id })];
}

const dearer = (ctx: Context, before: Parameters<typeof firstInterval>[1], after: typeof before): boolean =>
  firstInterval(ctx, after) > firstInterval(ctx, before);
