import { eq, sql } from 'drizzle-orm';
import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { besideGroup, dropUnneededAddressGroups, dropUnneededMembers } from '../desired/drops.ts';
import { holds, putSecurityGroups } from '../desired/puts.ts';
import { enforce } from '../policy.ts';
import { showRule } from './show-group.ts';

/** Removes a rule from its group, and from the hosts that enforce it. @throws ApiError 403 not allowed, 404 not seen */
export async function deleteRule(ctx: ActorContext, id: string): Promise<void> {
  const row = await showRule(ctx, id);
  enforce(ctx, 'delete_security_group_rule', { projectId: row.projectId });
  const here = holds('security-group', sql`${row.groupId}`);
  await commit(ctx, {
    audit: { action: 'delete_security_group_rule', targetType: 'security_group_rule', targetId: id },
    touches: here,
    statements: [
      ctx.db.delete(securityGroupRules).where(eq(securityGroupRules.id, id)),
      ctx.db
        .update(securityGroups)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(securityGroups.id, row.groupId)),
      putSecurityGroups(ctx.db, sql`security_groups.id = ${row.groupId} AND ${here}`),
      ...(row.remoteAddressGroupId === null
        ? []
        : [
            dropUnneededAddressGroups(
              ctx.db,
              sql`desired.id = ${row.remoteAddressGroupId} AND ${besideGroup(row.groupId)}`,
            ),
          ]),
      ...(row.remoteGroupId === null ? [] : [dropUnneededMembers(ctx.db, row.remoteGroupId, row.groupId)]),
    ],
  });
}
