import { eq, sql } from 'drizzle-orm';
import { subnetpools } from '../../../db/schema/subnetpools.ts';
import { commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { showScope } from '../address-scopes/scope-rows.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import type { Update } from '../api/resource-routes.ts';
import { rangeOf, without } from '../ipam/ranges.ts';
import { enforce } from '../policy.ts';
import { parsed } from '../subnets/plan-subnet.ts';
import type { poolAttributes } from './attributes.ts';
import { checkScope, secondDefault } from './check-scope.ts';
import { type PoolPlan, planPool } from './plan-pool.ts';
import { type PoolRow, selectPools, showPool } from './pool-rows.ts';

type PoolUpdate = Update<typeof poolAttributes>;

/**
 * Changes a subnet pool; its prefixes only grow by this.
 * @throws ApiError 400 what does not fit together, 403, 404 not seen, 409 the scope has some of the addresses, 412 another revision
 */
export function updatePool(ctx: ActorContext, input: PoolUpdate): Promise<PoolRow> {
  return whileRacing(async () => {
    const row = await showPool(ctx, input.id);
    enforce(ctx, 'update_subnetpool', { projectId: row.projectId });
    if (input.changes.is_default !== undefined) enforce(ctx, 'update_subnetpool:is_default');
    checkRevision(input.expectedRevision, row);
    const plan = planned(row, input.changes);
    return writePool(ctx, row, { plan, changes: input.changes, more: [] });
  });
}

function planned(row: PoolRow, changes: PoolUpdate['changes']): PoolPlan {
  const ranges = (prefixes: string[]) => prefixes.map((prefix) => rangeOf(parsed(prefix)));
  if (changes.prefixes && without(ranges(row.prefixes), ranges(changes.prefixes)).length > 0) {
    throw illegalPrefixes('Existing prefixes must be a subset of the new prefixes');
  }
  return planPool({
    prefixes: changes.prefixes ?? row.prefixes,
    minPrefixlen: changes.min_prefixlen ?? row.minPrefixlen,
    maxPrefixlen: changes.max_prefixlen ?? row.maxPrefixlen,
    defaultPrefixlen: changes.default_prefixlen ?? row.defaultPrefixlen,
  });
}

export const illegalPrefixes = (why: string) =>
  badRequest(`Illegal update to prefixes: ${why}.`, 'IllegalSubnetPoolPrefixUpdate');

/** Writes a pool as planned, in the batch with `more`, which stands after it. */
export async function writePool(
  ctx: ActorContext,
  row: PoolRow,
  { plan, changes, more }: { plan: PoolPlan; changes: PoolUpdate['changes']; more: Statement[] },
): Promise<PoolRow> {
  const addressScopeId = changes.address_scope_id === undefined ? row.addressScopeId : changes.address_scope_id;
  await refuseInAnothersScope(ctx, row);
  const scoped = await checkScope(ctx, { ...plan, id: row.id, addressScopeId });
  const results = await commit(ctx, {
    audit: { action: 'update_subnetpool', targetType: 'subnetpool', targetId: row.id, detail: { ...changes } },
    statements: [
      assertRevision(ctx, 'subnetpools', row),
      ...scoped,
      ctx.db
        .update(subnetpools)
        .set({
          ...plan,
          name: changes.name ?? row.name,
          description: changes.description ?? row.description,
          defaultQuota: changes.default_quota === undefined ? row.defaultQuota : changes.default_quota,
          isDefault: changes.is_default ?? row.isDefault,
          addressScopeId,
          revision: sql`revision + 1`,
          updatedAtMs: ctx.clock.nowMs(),
        })
        .where(eq(subnetpools.id, row.id)),
      ...more,
      selectPools(ctx).where(eq(subnetpools.id, row.id)),
    ],
  }).catch((error: unknown) => {
    throw secondDefault(error);
  });
  return (results.at(-1) as PoolRow[])[0] ?? row;
}

/** @throws ApiError 400 where a pool is in an address scope that is shared with its owner */
async function refuseInAnothersScope(ctx: ActorContext, row: PoolRow): Promise<void> {
  if (row.addressScopeId === null || isAdmin(ctx)) return;
  const scope = await showScope(ctx, row.addressScopeId);
  if (scope.projectId === ctx.actor.projectId) return;
  throw badRequest(
    `Illegal subnetpool update : subnetpool ${row.id} cannot be updated when associated with shared address scope ${scope.id}.`,
    'IllegalSubnetPoolUpdate',
  );
}
