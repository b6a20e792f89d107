import { inArray } from 'drizzle-orm';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import type { New } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { shareWithAll } from '../rbac/share-with-all.ts';
import type { poolAttributes } from './attributes.ts';
import { checkScope, secondDefault } from './check-scope.ts';
import { planPool } from './plan-pool.ts';
import { type PoolRow, selectPools } from './pool-rows.ts';

type NewPool = New<typeof poolAttributes>;

/**
 * Makes subnet pools, all or none.
 * @returns them in the order asked for
 * @throws ApiError 400 what does not fit together, 403 shared or default, by other than an admin; 404 no such address scope; 409
 *   the scope has some of the addresses, or the quota
 */
export function createPools(ctx: ActorContext, inputs: NewPool[]): Promise<PoolRow[]> {
  for (const input of inputs) authorizePool(ctx, input);
  return whileRacing(async () => {
    const rows = inputs.map((input) => newRow(ctx, input));
    const ids = rows.map((row) => row.id);
    const scoped: Statement[] = [];
    for (const row of rows) scoped.push(...(await checkScope(ctx, row)));
    const shared = rows.filter((_, at) => inputs[at]?.shared);
    const results = await commit(ctx, {
      audit: { action: 'create_subnetpool', targetType: 'subnetpool', targetId: ids[0] ?? '', detail: { ids } },
      statements: [
        ...scoped,
        ctx.db.insert(subnetpools).values(rows),
        ...shared.map((row) => shareWithAll(ctx, 'subnetpool', row)),
        ...assertQuota(
          ctx,
          'subnetpool',
          rows.map(({ projectId }) => projectId),
        ),
        selectPools(ctx).where(inArray(subnetpools.id, ids)),
      ],
    }).catch((error: unknown) => {
      throw secondDefault(error);
    });
    return inOrder(results.at(-1) as PoolRow[], ids);
  });
}

function authorizePool(ctx: ActorContext, input: NewPool): void {
  enforce(ctx, 'create_subnetpool', { projectId: input.projectId });
  if (input.shared) enforce(ctx, 'create_subnetpool:shared');
  if (input.is_default) enforce(ctx, 'create_subnetpool:is_default');
}

function newRow(ctx: ActorContext, input: NewPool) {
  const now = ctx.clock.nowMs();
  return {
    ...planPool({
      prefixes: input.prefixes,
      minPrefixlen: input.min_prefixlen,
      maxPrefixlen: input.max_prefixlen,
      defaultPrefixlen: input.default_prefixlen,
    }),
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: input.projectId,
    name: input.name,
    description: input.description,
    defaultQuota: input.default_quota ?? null,
    isDefault: input.is_default ?? false,
    addressScopeId: input.address_scope_id ?? null,
    createdAtMs: now,
    updatedAtMs: now,
  };
}
