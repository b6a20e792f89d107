import { and, eq } from 'drizzle-orm';
import { flavors } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { assertFlavor, flavorNotFound } from './find-flavor.ts';

const ACTION = 'os_compute_api:os-flavor-manage:delete';

/** Removes a flavor. Servers made of it keep theirs as it was. @throws ApiError 404 */
export async function deleteFlavor(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, policy, ACTION);
  const removal = ctx.db.delete(flavors).where(and(eq(flavors.region, ctx.region), eq(flavors.id, id)));
  const change = {
    audit: { action: ACTION, targetType: 'flavor', targetId: id },
    statements: [assertFlavor(ctx, id), removal],
  };
  await commitOr(ctx, change, { flavor: () => flavorNotFound(id) });
}
