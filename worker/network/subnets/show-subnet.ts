import { and, eq } from 'drizzle-orm';
import { subnets } from '../../../db/schema/network.ts';
import type { ActorContext } from '../../http/context.ts';
import { visibleSubnets } from '../api/visibility.ts';
import { subnetNotFound } from '../faults.ts';
import { type SubnetWithNetwork, selectSubnets } from './subnet-rows.ts';

/** One subnet. @throws ApiError 404 where there is none that the actor sees */
export async function showSubnet(ctx: ActorContext, id: string): Promise<SubnetWithNetwork> {
  const [row] = await selectSubnets(ctx).where(and(eq(subnets.id, id), visibleSubnets(ctx)));
  if (!row) throw subnetNotFound(id);
  return row;
}
