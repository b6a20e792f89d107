import { and, eq } from 'drizzle-orm';
import { networks } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { visibleNetworks } from '../api/visibility.ts';
import { networkNotFound } from '../faults.ts';
import { type NetworkRow, selectNetworks } from './network-rows.ts';

/** One network. @throws ApiError 404 where there is none that the actor sees */
export async function showNetwork(ctx: ActorContext, id: string): Promise<NetworkRow> {
  const [row] = await selectNetworks(ctx).where(and(eq(networks.id, id), visibleNetworks(ctx)));
  if (!row) throw networkNotFound(id);
  return row;
}
