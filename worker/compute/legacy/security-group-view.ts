import type { GroupWithRules } from '../../network/security-groups/group-rows.ts';
import type { RuleRow } from '../../network/security-groups/new-group.ts';

const PORT_MAX = 65_535;
const ANYWHERE = { IPv4: '0.0.0.0/0', IPv6: '::/0' } as const;

/** The ports of a rule: Nova says what is any as the whole range, and -1 where there are no ports. */
function portsOf({ protocol, portRangeMin, portRangeMax }: RuleRow) {
  if (protocol === null || portRangeMin !== null || portRangeMax !== null) {
    return { from_port: portRangeMin, to_port: portRangeMax };
  }
  return protocol === 'tcp' || protocol === 'udp'
    ? { from_port: 1, to_port: PORT_MAX }
    : { from_port: -1, to_port: -1 };
}

/** A rule that lets something in, as Nova showed it. */
export function securityGroupRuleView(
  rule: RuleRow,
  groups: readonly Pick<GroupWithRules, 'id' | 'name' | 'projectId'>[],
) {
  const remote = groups.find((group) => group.id === rule.remoteGroupId);
  const cidr = rule.remoteIpPrefix ?? ANYWHERE[rule.ethertype];
  return {
    id: rule.id,
    parent_group_id: rule.groupId,
    ip_protocol: rule.protocol,
    ...portsOf(rule),
    group: remote ? { name: remote.name, tenant_id: remote.projectId } : {},
    ip_range: rule.remoteGroupId === null ? { cidr } : {},
  };
}

/** A group as Nova showed it: it knew only what lets something in. */
export function securityGroupView(
  group: GroupWithRules,
  groups: readonly Pick<GroupWithRules, 'id' | 'name' | 'projectId'>[],
) {
  return {
    id: group.id,
    name: group.name,
    description: group.description,
    tenant_id: group.projectId,
    rules: group.rules
      .filter((rule) => rule.direction === 'ingress')
      .map((rule) => securityGroupRuleView(rule, groups)),
  };
}
