import { and } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import type { ListQuery } from '../api/listing.ts';
import { visibleNetworks } from '../api/visibility.ts';
import { type NetworkRow, selectNetworks } from './network-rows.ts';

/** A page of the networks that the actor sees. */
export function listNetworks(ctx: ActorContext, query: ListQuery): Promise<NetworkRow[]> {
  return selectNetworks(ctx)
    .where(and(visibleNetworks(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}
