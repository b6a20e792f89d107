import { eq } from 'drizzle-orm';
import { addressScopes } from '../../../db/schema/subnetpools.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import type { Update } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { shareWithAll } from '../rbac/share-with-all.ts';
import type { scopeAttributes } from './attributes.ts';
import { type ScopeRow, selectScopes, showScope } from './scope-rows.ts';

/** Renames or shares an address scope. @throws ApiError 400 not shared any more, 403, 404 not seen */
export async function updateScope(
  ctx: ActorContext,
  { id, changes }: Update<typeof scopeAttributes>,
): Promise<ScopeRow> {
  const row = await showScope(ctx, id);
  enforce(ctx, 'update_address_scope', { projectId: row.projectId });
  if (changes.shared !== undefined) enforce(ctx, 'update_address_scope:shared');
  if (row.shared && changes.shared === false) {
    throw badRequest(
      `Unable to update address scope ${id} : Shared address scope can't be unshared.`,
      'AddressScopeUpdateError',
    );
  }
  const results = await commit(ctx, {
    audit: { action: 'update_address_scope', targetType: 'address_scope', targetId: id, detail: { ...changes } },
    statements: [
      ctx.db
        .update(addressScopes)
        .set({ name: changes.name ?? row.name })
        .where(eq(addressScopes.id, id)),
      ...(changes.shared ? [shareWithAll(ctx, 'address_scope', row)] : []),
      selectScopes(ctx).where(eq(addressScopes.id, id)),
    ],
  });
  return (results.at(-1) as ScopeRow[])[0] ?? row;
}
