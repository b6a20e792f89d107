import { eq, sql } from 'drizzle-orm';
import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import { dropDesired } from '../../fleet/desired.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { besideGroup, dropMembersOfDropped, dropUnneededAddressGroups } from '../desired/drops.ts';
import { holds, putSecurityGroups } from '../desired/puts.ts';
import { enforce, may } from '../policy.ts';
import { dropPolicies } from '../rbac/drop-policies.ts';
import { assertUnused, usedGroup } from './group-in-use.ts';
import { DEFAULT_GROUP_NAME } from './new-group.ts';
import { showGroup } from './show-group.ts';

/**
 * Removes a group with its rules, and the rules of other groups about it.
 * @throws ApiError 403 not allowed, 404 not seen, 409 in use or a default group, 412 another revision
 */
export function deleteGroup(
  ctx: ActorContext,
  input: { id: string; expectedRevision: number | undefined },
): Promise<void> {
  return whileRacing(async () => {
    const row = await showGroup(ctx, input.id);
    enforce(ctx, 'delete_security_group', { projectId: row.projectId });
    checkRevision(input.expectedRevision, row);
    if (row.name === DEFAULT_GROUP_NAME && !may(ctx, 'delete_security_group:default')) {
      throw conflict('Insufficient rights for removing default security group.', 'SecurityGroupCannotRemoveDefault');
    }
    await commit(ctx, {
      audit: { action: 'delete_security_group', targetType: 'security_group', targetId: row.id },
      touches: sql`(${holds('security-group', sql`${row.id}`)} OR ${holdsRuleAbout(row.id)})`,
      statements: [
        ...(input.expectedRevision === undefined ? [] : [assertRevision(ctx, 'security_groups', row)]),
        assertUnused(ctx, row.id),
        dropDesired(ctx.db, 'security-group', sql`desired.id = ${row.id}`),
        dropMembersOfDropped(ctx.db),
        dropUnneededAddressGroups(ctx.db, besideGroup(row.id)),
        ctx.db.delete(securityGroupRules).where(eq(securityGroupRules.remoteGroupId, row.id)),
        dropPolicies(ctx, row.id),
        ctx.db.delete(securityGroups).where(eq(securityGroups.id, row.id)),
        putSecurityGroups(ctx.db, sql`${heldWithRuleAbout(row.id, sql`security_groups.id`)}`),
      ],
    }).catch((error: unknown) => {
      throw usedGroup(error, row.id);
    });
  });
}

/** Holds for a runner and a group whose spec there has a rule about another group: as sent, whatever the rows are now. */
const heldWithRuleAbout = (remoteId: string, groupId: ReturnType<typeof sql>) =>
  sql`EXISTS (SELECT 1 FROM desired held WHERE held.runner_id = runners.id AND held.kind = 'security-group'
    AND held.id = ${groupId} AND held.deleted = 0 AND instr(held.spec, ${remoteId}) > 0)`;

const holdsRuleAbout = (remoteId: string) =>
  sql`EXISTS (SELECT 1 FROM security_group_rules r WHERE r.remote_group_id = ${remoteId} AND ${holds('security-group', sql`r.group_id`)})`;
