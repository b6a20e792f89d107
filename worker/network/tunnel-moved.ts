import { sql } from 'drizzle-orm';
import { commitAll } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import { runnersWith } from './desired/drops.ts';
import { dropNeighbors, holdersOf, putNeighbors } from './desired/neighbors.ts';
import { knowingForwards, placeForwards } from './edge/floating-ips-on.ts';

/** Tells a machine's neighbors of its new tunnel address, which is in its row already; or that it has none any more. */
export async function tunnelMoved(ctx: Context, runnerId: string): Promise<void> {
  const its = (column: 'id' | 'network_id') =>
    sql`SELECT ports.${sql.raw(column)} FROM ports JOIN runners peer ON peer.id = ports.runner_id WHERE ports.runner_id = ${runnerId}`;
  const unreached = sql`${its('id')} AND peer.tunnel_ip IS NULL`;
  const held = sql`SELECT f.id FROM floating_ips f WHERE f.holder_id = ${runnerId}`;
  await commitAll(
    ctx,
    [
      putNeighbors(ctx.db, sql`ports.runner_id = ${runnerId}`),
      dropNeighbors(ctx.db, unreached),
      ...placeForwards(ctx.db, held),
    ],
    sql`(${holdersOf(its('network_id'))} OR ${runnersWith('neighbor', unreached)} OR ${knowingForwards(held)})`,
  );
}
