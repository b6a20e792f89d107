import { inArray } from 'drizzle-orm';
import { addressScopes } from '../../../db/schema/subnetpools.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import type { New } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { shareWithAll } from '../rbac/share-with-all.ts';
import type { scopeAttributes } from './attributes.ts';
import { type ScopeRow, selectScopes } from './scope-rows.ts';

/** Makes address scopes, all or none. @returns them in the order asked for @throws ApiError 403 shared, by other than an admin */
export async function createScopes(ctx: ActorContext, inputs: New<typeof scopeAttributes>[]): Promise<ScopeRow[]> {
  const rows = inputs.map((input) => {
    enforce(ctx, 'create_address_scope', { projectId: input.projectId });
    if (input.shared) enforce(ctx, 'create_address_scope:shared');
    return {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      name: input.name,
      ipVersion: input.ip_version,
      createdAtMs: ctx.clock.nowMs(),
    };
  });
  const ids = rows.map((row) => row.id);
  const shared = rows.filter((_, at) => inputs[at]?.shared);
  const results = await commit(ctx, {
    audit: { action: 'create_address_scope', targetType: 'address_scope', targetId: ids[0] ?? '', detail: { ids } },
    statements: [
      ctx.db.insert(addressScopes).values(rows),
      ...shared.map((row) => shareWithAll(ctx, 'address_scope', row)),
      selectScopes(ctx).where(inArray(addressScopes.id, ids)),
    ],
  });
  return inOrder(results.at(-1) as ScopeRow[], ids);
}
