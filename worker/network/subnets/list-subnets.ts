import { and } from 'drizzle-orm';
import type { ActorContext } from '../../http/context.ts';
import type { ListQuery } from '../api/listing.ts';
import { visibleSubnets } from '../api/visibility.ts';
import { type SubnetWithNetwork, selectSubnets } from './subnet-rows.ts';

/** A page of the subnets that the actor sees. */
export function listSubnets(ctx: ActorContext, query: ListQuery): Promise<SubnetWithNetwork[]> {
  return selectSubnets(ctx)
    .where(and(visibleSubnets(ctx), query.where))
    .orderBy(...query.orderBy)
    .limit(query.limit);
}
