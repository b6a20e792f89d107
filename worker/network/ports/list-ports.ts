import { and } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import type { ListQuery } from '../api/listing.ts';
import { visiblePorts } from '../api/visibility.ts';
import { type PortWithPlace, selectPorts } from './port-rows.ts';

/** A page of the ports that the actor sees. */
export function listPorts(ctx: ActorContext, query: ListQuery): Promise<PortWithPlace[]> {
  return selectPorts(ctx)
    .where(and(visiblePorts(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}
