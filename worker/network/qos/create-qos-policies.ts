import { inArray } from 'drizzle-orm';
import { qosPolicies } from '../../../db/schema/qos.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import type { New } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { shareWithAll } from '../rbac/share-with-all.ts';
import type { qosPolicyAttributes } from './attributes.ts';
import { secondDefault } from './default-policy.ts';
import { type QosPolicyRow, selectQosPolicies } from './qos-rows.ts';

/** Makes QoS policies, all or none. @returns them in the order asked for @throws ApiError 403, 409 a second default of a project */
export async function createQosPolicies(
  ctx: ActorContext,
  inputs: New<typeof qosPolicyAttributes>[],
): Promise<QosPolicyRow[]> {
  const now = ctx.clock.nowMs();
  const rows = inputs.map((input) => {
    enforce(ctx, 'create_policy', { projectId: input.projectId });
    return {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      description: input.description,
      isDefault: input.is_default ?? false,
      createdAtMs: now,
      updatedAtMs: now,
    };
  });
  const ids = rows.map((row) => row.id);
  const shared = rows.filter((_, at) => inputs[at]?.shared);
  const results = await commit(ctx, {
    audit: { action: 'create_policy', targetType: 'qos_policy', targetId: ids[0] ?? '', detail: { ids } },
    statements: [
      ctx.db.insert(qosPolicies).values(rows),
      ...shared.map((row) => shareWithAll(ctx, 'qos_policy', row)),
      selectQosPolicies(ctx).where(inArray(qosPolicies.id, ids)),
    ],
  }).catch((error: unknown) => {
    throw secondDefault(error, rows[0]?.projectId ?? '');
  });
  return inOrder(results.at(-1) as QosPolicyRow[], ids);
}
