import { parseCidr } from '../../../shared/cidr.ts';
import { badRequest } from '../../http/errors.ts';
import type { RuleRow } from './new-group.ts';
import { protocolNumber } from './protocols.ts';
import { normalizedCidr } from './rule-values.ts';

/** What of a rule must fit together. */
export type RuleShape = Pick<
  RuleRow,
  | 'direction'
  | 'ethertype'
  | 'protocol'
  | 'portRangeMin'
  | 'portRangeMax'
  | 'remoteIpPrefix'
  | 'remoteGroupId'
  | 'remoteAddressGroupId'
>;

const ICMP = 1;
const ICMP_V6 = 58;
/** DCCP, SCTP, TCP, UDP, UDP-Lite: what has ports. */
const PORT_PROTOCOLS: Readonly<Record<number, string>> = {
  33: 'DCCP',
  132: 'SCTP',
  6: 'TCP',
  17: 'UDP',
  136: 'UDPLITE',
};
/** Protocols that only IPv6 has. */
const V6_ONLY = new Set([41, 44, 58, 59, 60, 43]);
const BYTE_MAX = 255;
const PORTS = { min: 1, max: 65_535 };

/**
 * A rule in Neutron's canonical form: ICMP in IPv6 by its own name, all ports as none.
 * @throws ApiError 400 for what does not fit together
 */
export function checkedRule<Rule extends RuleShape>(sent: Rule): Rule {
  const rule = canonical(sent);
  checkPorts(rule);
  const prefix = rule.remoteIpPrefix === null ? null : parseCidr(rule.remoteIpPrefix);
  if (prefix && rule.ethertype !== `IPv${prefix.version}`) {
    throw badRequest(
      `Conflicting value ethertype ${rule.ethertype} for CIDR ${rule.remoteIpPrefix}`,
      'SecurityGroupRuleParameterConflict',
    );
  }
  if (rule.ethertype === 'IPv4' && V6_ONLY.has(protocolNumber(rule.protocol) ?? -1)) {
    throw badRequest(
      `Invalid ethertype ${rule.ethertype} for protocol ${rule.protocol}.`,
      'SecurityGroupEthertypeConflictWithProtocol',
    );
  }
  const remotes = [rule.remoteIpPrefix, rule.remoteGroupId, rule.remoteAddressGroupId].filter((one) => one !== null);
  if (remotes.length > 1) {
    throw badRequest(
      'Only one of remote_ip_prefix or remote_group_id or remote_address_group_id may be provided.',
      'SecurityGroupMultipleRemoteEntites',
    );
  }
  return rule;
}

function canonical<Rule extends RuleShape>(rule: Rule): Rule {
  const allPorts = rule.portRangeMin === PORTS.min && rule.portRangeMax === PORTS.max;
  const ports = allPorts ? { portRangeMin: null, portRangeMax: null } : {};
  if (rule.ethertype !== 'IPv6') return { ...rule, ...ports };
  if (rule.protocol === 'icmp' || rule.protocol === 'icmpv6') return { ...rule, ...ports, protocol: 'ipv6-icmp' };
  return { ...rule, ...ports, protocol: rule.protocol === String(ICMP) ? String(ICMP_V6) : rule.protocol };
}

function checkPorts({ protocol, portRangeMin: min, portRangeMax: max }: RuleShape): void {
  if (min === null && max === null) return;
  if (protocol === null) {
    throw badRequest('Must also specify protocol if port range is given.', 'SecurityGroupProtocolRequiredWithPorts');
  }
  const number = protocolNumber(protocol) ?? -1;
  if (number === ICMP || number === ICMP_V6) {
    checkIcmp(min, max);
    return;
  }
  if (!Object.hasOwn(PORT_PROTOCOLS, number)) {
    throw badRequest(
      `Ports cannot be specified for protocol ${protocol}. Ports are only supported for ${Object.values(PORT_PROTOCOLS).sort().join(', ')}.`,
      'SecurityGroupInvalidProtocolForPort',
    );
  }
  if (min === 0 || max === 0) throw badRequest('Invalid value for port 0', 'SecurityGroupInvalidPortValue');
  if (min === null || max === null || min > max) {
    throw badRequest(
      'For TCP/UDP protocols, port_range_min must be <= port_range_max',
      'SecurityGroupInvalidPortRange',
    );
  }
}

function checkIcmp(type: number | null, code: number | null): void {
  for (const [field, attr, value] of [
    ['type', 'port_range_min', type],
    ['code', 'port_range_max', code],
  ] as const) {
    if (value === null || value <= BYTE_MAX) continue;
    throw badRequest(
      `Invalid value for ICMP ${field} (${attr}) ${value}. It must be 0 to 255.`,
      'SecurityGroupInvalidIcmpValue',
    );
  }
  if (type === null && code !== null) {
    throw badRequest(
      `ICMP code (port-range-max) ${code} is provided but ICMP type (port-range-min) is missing.`,
      'SecurityGroupMissingIcmpType',
    );
  }
}

const ANY_ADDRESS: readonly (string | null)[] = ['0.0.0.0/0', '::/0', null];

/** What makes two rules of a group the same rule. */
export function ruleKey(rule: RuleShape): string {
  const prefix = normalizedCidr(rule.remoteIpPrefix);
  return JSON.stringify([
    rule.direction,
    rule.ethertype,
    protocolNumber(rule.protocol),
    rule.portRangeMin,
    rule.portRangeMax,
    rule.remoteGroupId,
    rule.remoteAddressGroupId,
    ANY_ADDRESS.includes(prefix) ? null : prefix,
  ]);
}
