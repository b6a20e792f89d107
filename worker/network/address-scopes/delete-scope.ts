import { eq, sql } from 'drizzle-orm';
import { addressScopes } from '../../../db/schema/subnetpools.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { showScope } from './scope-rows.ts';

const UNUSED = 'scope-unused';

/** Removes an address scope. @throws ApiError 403, 404 not seen, 409 a subnet pool is in it */
export async function deleteScope(ctx: ActorContext, { id }: Removal): Promise<void> {
  const row = await showScope(ctx, id);
  enforce(ctx, 'delete_address_scope', { projectId: row.projectId });
  await commit(ctx, {
    audit: { action: 'delete_address_scope', targetType: 'address_scope', targetId: id },
    statements: [
      assertThat(ctx.db, UNUSED, sql`NOT EXISTS (SELECT 1 FROM subnetpools WHERE address_scope_id = ${id})`),
      dropPolicies(ctx, id),
      ctx.db.delete(addressScopes).where(eq(addressScopes.id, id)),
    ],
  }).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed) || error.assertion !== UNUSED) throw error;
    throw conflict(
      `Unable to complete operation on address scope ${id}. There are one or more subnet pools in use on the address scope.`,
      'AddressScopeInUse',
    );
  });
}
