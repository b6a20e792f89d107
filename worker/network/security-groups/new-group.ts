import { securityGroupRules, securityGroups } from '../../../db/schema/network.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';

export const DEFAULT_GROUP_NAME = 'default';

export type GroupRow = typeof securityGroups.$inferSelect;
export type RuleRow = typeof securityGroupRules.$inferSelect;

/** A new group with the rules that let it out: any egress, IPv4 and IPv6. */
export function newGroup(
  ctx: Context,
  group: Pick<GroupRow, 'projectId' | 'name' | 'description' | 'stateful'>,
): { group: GroupRow; rules: RuleRow[] } {
  const now = ctx.clock.nowMs();
  const row = {
    ...group,
    id: ctx.ids.uuid(),
    region: ctx.region,
    tags: [],
    revision: 1,
    createdAtMs: now,
    updatedAtMs: now,
  };
  const rules = (['IPv4', 'IPv6'] as const).map((ethertype) => newRule(ctx, row, { direction: 'egress', ethertype }));
  return { group: row, rules };
}

/** A rule of a group; what is not said is any. */
export function newRule(
  ctx: Context,
  group: GroupRow,
  rule: Pick<RuleRow, 'direction' | 'ethertype'> & Partial<RuleRow>,
): RuleRow {
  return {
    description: '',
    protocol: null,
    portRangeMin: null,
    portRangeMax: null,
    remoteIpPrefix: null,
    remoteAddressGroupId: null,
    remoteGroupId: null,
    ...rule,
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: group.projectId,
    groupId: group.id,
    createdAtMs: ctx.clock.nowMs(),
  };
}

/** A project's default group: out to anywhere, in from its own members. */
export function newDefaultGroup(ctx: Context, projectId: string): { group: GroupRow; rules: RuleRow[] } {
  const made = newGroup(ctx, {
    projectId,
    name: DEFAULT_GROUP_NAME,
    description: 'Default security group',
    stateful: true,
  });
  const inward = (['IPv4', 'IPv6'] as const).map((ethertype) =>
    newRule(ctx, made.group, { direction: 'ingress', ethertype, remoteGroupId: made.group.id }),
  );
  return { group: made.group, rules: [...made.rules, ...inward] };
}

/** Statements that write a group with its rules. A second default group of a project fails on the schema's unique index. */
export function insertGroup(ctx: Context, made: { group: GroupRow; rules: RuleRow[] }): Statement[] {
  return [
    ctx.db.insert(securityGroups).values(made.group),
    ...(made.rules.length > 0 ? [ctx.db.insert(securityGroupRules).values(made.rules)] : []),
  ];
}
