import { sql } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { enforce } from '../policy.ts';
import { takeDown } from './take-down.ts';
import { findTopology, projectAsked } from './topology-rows.ts';

/**
 * Removes the network that a project was given, with its router; one that it was not given is gone already.
 * @throws ApiError 403, 409 something is on the network: all of it stays then
 */
export async function deleteTopology(ctx: ActorContext, said: string): Promise<void> {
  const projectId = projectAsked(ctx, said);
  enforce(ctx, 'delete_auto_allocated_topology', { projectId });
  const row = await findTopology(ctx, projectId);
  if (!row) return;
  const [used] = await ctx.db.all<{ id: string }>(sql`SELECT id FROM ports WHERE network_id = ${row.networkId}
    AND device_id IS NOT ${row.routerId} LIMIT 1`);
  if (used) {
    throw conflict(
      `Unable to complete operation on network ${row.networkId}. There are one or more ports still in use on the network.`,
      'NetworkInUse',
    );
  }
  await takeDown(ctx, row);
}
