import type { ActorContext } from '../../http/context.ts';
import { findFlavor } from '../flavors/find-flavor.ts';
import type { FlavorRow } from '../flavors/views.ts';
import type { ServerShare } from '../quotas/usage.ts';

/** What so many servers of a flavor take of a quota. */
export const shareOf = (flavor: Pick<FlavorRow, 'vcpus' | 'ramMib'>, count: number): ServerShare => ({
  instances: count,
  cores: flavor.vcpus * count,
  ram: flavor.ramMib * count,
});

/** The same for one, where the flavor is still to be read. */
export const sharesOf = async (ctx: ActorContext, flavorId: string): Promise<ServerShare> =>
  shareOf(await findFlavor(ctx, flavorId), 1);
