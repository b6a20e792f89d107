import { and, eq, inArray, sql } from 'drizzle-orm';
import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import { RULES_PER_GROUP_MAX } from '../../../shared/limits.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { type AddressGroupRow, showAddressGroup } from '../address-groups/address-group-rows.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { assertRevision, assertUnchanged, whileRacing } from '../api/races.ts';
import { visibleGroups } from '../api/visibility.ts';
import { holds, putAddressGroups, putGroupMembers, putSecurityGroups } from '../desired/puts.ts';
import { securityGroupNotFound } from '../faults.ts';
import { enforce } from '../policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { assertAccess } from '../rbac/assert-access.ts';
import type { ruleAttributes } from './attributes.ts';
import { checkedRule, type RuleShape, ruleKey } from './check-rule.ts';
import { type GroupWithRules, type RuleWithGroup, selectGroups, selectRules } from './group-rows.ts';
import { newRule, type RuleRow } from './new-group.ts';

export type NewRule = Created<typeof ruleAttributes> & { projectId: string };

/**
 * Adds rules to one group, all or none, and to the hosts that enforce it. The group's revision rises, so two at once cannot
 * add the same rule.
 * @returns them in the order asked for
 * @throws ApiError 400 what does not fit together, 404 no such group, 409 the group has such a rule
 */
export function createRules(ctx: ActorContext, inputs: NewRule[]): Promise<RuleWithGroup[]> {
  const groupId = oneGroup(inputs);
  const shapes = inputs.map((input) => checkedRule(shapeOf(input)));
  const remoteIds = shapes.flatMap((shape) => shape.remoteGroupId ?? []);
  return whileRacing(async () => {
    const groups = await selectGroups(ctx).where(
      and(inArray(securityGroups.id, [groupId, ...remoteIds]), visibleGroups(ctx)),
    );
    for (const id of [...remoteIds, groupId]) {
      if (!groups.some((group) => group.id === id)) throw securityGroupNotFound(id);
    }
    const group = groups.find((one) => one.id === groupId);
    if (!group) throw securityGroupNotFound(groupId);
    enforce(ctx, 'create_security_group_rule', { projectId: group.projectId });
    const addressGroups = await remoteAddressGroups(ctx, shapes);
    refuseDuplicates(group, shapes);
    const rows = shapes.map((shape, index) => ({
      ...newRule(ctx, group, shape),
      projectId: inputs[index]?.projectId ?? group.projectId,
    }));
    return write(ctx, group, rows, addressGroups);
  });
}

/** The address groups that rules refer to. @throws ApiError 404 no such group */
async function remoteAddressGroups(ctx: ActorContext, shapes: RuleShape[]): Promise<AddressGroupRow[]> {
  const ids = [...new Set(shapes.flatMap((shape) => shape.remoteAddressGroupId ?? []))];
  return Promise.all(ids.map((id) => showAddressGroup(ctx, id)));
}

function oneGroup(inputs: NewRule[]): string {
  const groups = new Set(inputs.map((input) => input.security_group_id));
  if (groups.size > 1) {
    throw badRequest(
      'Only allowed to update rules for one security profile at a time',
      'SecurityGroupNotSingleGroupRules',
    );
  }
  if (new Set(inputs.map((input) => input.projectId)).size > 1) {
    throw badRequest(
      'Multiple project_ids in bulk security group rule create not allowed',
      'SecurityGroupRulesNotSingleProject',
    );
  }
  return [...groups][0] ?? '';
}

const shapeOf = (input: NewRule) => ({
  direction: input.direction,
  ethertype: input.ethertype,
  protocol: input.protocol,
  portRangeMin: input.port_range_min,
  portRangeMax: input.port_range_max,
  remoteIpPrefix: input.remote_ip_prefix,
  remoteGroupId: input.remote_group_id,
  remoteAddressGroupId: input.remote_address_group_id,
  description: input.description ?? '',
});

function refuseDuplicates(group: GroupWithRules, shapes: ReturnType<typeof shapeOf>[]): void {
  const keys = shapes.map(ruleKey);
  if (new Set(keys).size < keys.length) {
    throw conflict('Duplicate Security Group Rule in POST.', 'DuplicateSecurityGroupRuleInPost');
  }
  const twin = group.rules.find((rule) => keys.includes(ruleKey(rule)));
  if (twin) {
    throw conflict(`Security group rule already exists. Rule id is ${twin.id}.`, 'SecurityGroupRuleExists');
  }
  if (group.rules.length + shapes.length > RULES_PER_GROUP_MAX) {
    throw conflict(`Quota exceeded for resources: ['security_group_rule'].`, 'OverQuota');
  }
}

async function write(
  ctx: ActorContext,
  group: GroupWithRules,
  rows: RuleRow[],
  addressGroups: AddressGroupRow[],
): Promise<RuleWithGroup[]> {
  const ids = rows.map((row) => row.id);
  const here = holds('security-group', sql`${group.id}`);
  const refersToGroup = rows.some((row) => row.remoteGroupId !== null);
  const results = await commit(ctx, {
    audit: { action: 'create_security_group_rule', targetType: 'security_group', targetId: group.id, detail: { ids } },
    touches: here,
    statements: [
      assertRevision(ctx, 'security_groups', group),
      ...addressGroups.map(({ id }) =>
        assertUnchanged(ctx, sql`EXISTS (SELECT 1 FROM address_groups WHERE id = ${id})`),
      ),
      ...assertAccess(ctx, 'address_group', addressGroups),
      ctx.db.insert(securityGroupRules).values(rows),
      ...assertQuota(
        ctx,
        'security_group_rule',
        rows.map(({ projectId }) => projectId),
      ),
      ctx.db
        .update(securityGroups)
        .set({ revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(eq(securityGroups.id, group.id)),
      putSecurityGroups(ctx.db, sql`security_groups.id = ${group.id} AND ${here}`),
      ...(addressGroups.length > 0 ? [putAddressGroups(ctx.db, sql`holder.id = ${group.id}`)] : []),
      ...(refersToGroup ? [putGroupMembers(ctx.db, sql`holder.id = ${group.id}`)] : []),
      selectRules(ctx).where(inArray(securityGroupRules.id, ids)),
    ],
  });
  return inOrder(results.at(-1) as RuleWithGroup[], ids);
}
