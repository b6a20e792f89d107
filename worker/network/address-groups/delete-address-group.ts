import { eq, sql } from 'drizzle-orm';
import { addressGroups } from '../../../db/schema/address-groups.ts';
import { AssertionFailed, assertThat, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Removal } from '../api/resource-routes.ts';
import { enforce } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { showAddressGroup } from './address-group-rows.ts';

const UNUSED = 'address-group-unused';

/** Removes an address group. @throws ApiError 403, 404 not seen, 409 a rule refers to it */
export async function deleteAddressGroup(ctx: ActorContext, { id }: Removal): Promise<void> {
  const row = await showAddressGroup(ctx, id);
  enforce(ctx, 'delete_address_group', { projectId: row.projectId });
  await commit(ctx, {
    audit: { action: 'delete_address_group', targetType: 'address_group', targetId: id },
    statements: [
      assertThat(
        ctx.db,
        UNUSED,
        sql`NOT EXISTS (SELECT 1 FROM security_group_rules WHERE remote_address_group_id = ${id})`,
      ),
      dropPolicies(ctx, id),
      ctx.db.delete(addressGroups).where(eq(addressGroups.id, id)),
    ],
  }).catch((error: unknown) => {
    if (!(error instanceof AssertionFailed) || error.assertion !== UNUSED) throw error;
    throw conflict(`Address group ${id} is in use on one or more security group rules.`, 'AddressGroupInUse');
  });
}
