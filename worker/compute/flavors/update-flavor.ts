import { and, eq } from 'drizzle-orm';
import { flavors } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { assertFlavor, flavorNotFound } from './find-flavor.ts';
import type { FlavorRow } from './views.ts';

const ACTION = 'os_compute_api:os-flavor-manage:update';

/** Changes a flavor's description, the one thing of it that may change. @throws ApiError 404 */
export async function updateFlavor(
  ctx: ActorContext,
  id: string,
  input: { description: string | null },
): Promise<FlavorRow> {
  authorize(ctx, policy, ACTION);
  const update = ctx.db
    .update(flavors)
    .set({ description: input.description })
    .where(and(eq(flavors.region, ctx.region), eq(flavors.id, id)))
    .returning();
  const change = {
    audit: { action: ACTION, targetType: 'flavor', targetId: id },
    statements: [assertFlavor(ctx, id), update],
  };
  const [, updated] = await commitOr(ctx, change, { flavor: () => flavorNotFound(id) });
  const row = (updated as FlavorRow[])[0];
  if (!row) throw flavorNotFound(id);
  return row;
}
