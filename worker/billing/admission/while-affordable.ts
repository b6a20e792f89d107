import { sql } from 'drizzle-orm';
import { AssertionFailed, assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { weightOf } from '../rating/rate-line.ts';
import { offerOf, offerRead } from '../reports/quote.ts';
import { admit, firstInterval } from './admit.ts';
import { requireSolvent } from './require-solvent.ts';

const UNWEIGHED = 'billing-unweighed';

/**
 * Writes what turns a server on that may be off: refused (403) where its account is used up or suspended, or does not hold
 * by how much it is dearer then. That is read only where a price weighs the server's state: the first write makes sure that
 * none does. Operators pass; a server that runs already costs no more than before.
 * @param write - writes with these statements, which come before its own
 */
export async function whileAffordable<T>(
  ctx: ActorContext,
  serverId: string,
  write: (guards: Statement[]) => Promise<T>,
): Promise<T> {
  if (isAdmin(ctx)) return write([]);
  const off = sql`EXISTS (SELECT 1 FROM servers WHERE id = ${serverId} AND vm_state <> 'active')`;
  const solvent = requireSolvent(ctx, sql`(SELECT project_id FROM servers WHERE id = ${serverId})`, off);
  try {
    return await write([...solvent, assertThat(ctx.db, UNWEIGHED, sql`NOT EXISTS (${weighed(serverId)})`)]);
  } catch (error) {
    if (!(error instanceof AssertionFailed && error.assertion === UNWEIGHED)) throw error;
  }
  return write([...solvent, ...(await claimRise(ctx, serverId))]);
}

/** Prices that may ask less for the server as it is than for one that runs. What failed costs nothing by itself. */
const weighed = (serverId: string) => sql`
  SELECT 1 FROM servers server JOIN billing_products product ON product.region = server.region AND product.item = 'server'
    AND product.item_type = server.flavor ->> '$.name' AND product.automatic = 1 AND product.retired_at_ms IS NULL
  JOIN billing_prices price ON price.product_id = product.id
  WHERE server.id = ${serverId} AND server.vm_state <> 'active' AND (server.vm_state = 'error' OR price.terms ->> '$.weights' <> '{}')`;

async function claimRise(ctx: ActorContext, serverId: string): Promise<Statement[]> {
  const [[server], rows] = await ctx.db.batch([
    ctx.db.all<{ state: string; projectId: string }>(
      sql`SELECT vm_state AS state, project_id AS "projectId" FROM servers WHERE id = ${serverId}`,
    ),
    offerRead(ctx, 'server', sql`(SELECT flavor ->> '$.name' FROM servers WHERE id = ${serverId})`),
  ]);
  const offer = offerOf(rows);
  if (!server || !offer) return [];
  const { state, projectId } = server;
  const cost = (of: string) => firstInterval(ctx, offer, 1, weightOf(offer, of));
  const rise = cost('active') - cost(state);
  return [
    assertThat(ctx.db, 'state', sql`EXISTS (SELECT 1 FROM servers WHERE id = ${serverId} AND vm_state = ${state})`),
    ...(rise > 0n ? admit(ctx, offer, { projectId, resourceId: serverId }, rise) : []),
  ];
}
