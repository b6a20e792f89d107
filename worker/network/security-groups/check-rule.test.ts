import { describe, expect, it } from 'vitest';
import { checkedRule, type RuleShape, ruleKey } from './check-rule.ts';

const rule = (part: Partial<RuleShape> = {}): RuleShape => ({
  direction: 'ingress',
  ethertype: 'IPv4',
  protocol: 'tcp',
  portRangeMin: null,
  portRangeMax: null,
  remoteIpPrefix: null,
  remoteGroupId: null,
  remoteAddressGroupId: null,
  ...part,
});
const refused = (part: Partial<RuleShape>): string | undefined => {
  try {
    checkedRule(rule(part));
    return undefined;
  } catch (error) {
    return (error as { type: string }).type;
  }
};

describe('checkedRule', () => {
  it.each([
    [{ portRangeMin: 22, portRangeMax: 22 }],
    [{ protocol: '6', portRangeMin: 1, portRangeMax: 9 }],
    [{ protocol: 'sctp', portRangeMin: 1, portRangeMax: 9 }],
    [{ protocol: 'icmp', portRangeMin: 8, portRangeMax: 0 }],
    [{ protocol: 'icmp', portRangeMin: 8 }],
    [{ protocol: '112' }],
    [{ protocol: null, remoteIpPrefix: '10.0.0.0/8' }],
    [{ ethertype: 'IPv6' as const, remoteIpPrefix: 'fd00::/8' }],
  ])('takes %j', (part) => expect(checkedRule(rule(part))).toEqual(rule(part)));

  it.each([
    [{ portRangeMin: 9, portRangeMax: 1 }, 'SecurityGroupInvalidPortRange'],
    [{ portRangeMin: 9 }, 'SecurityGroupInvalidPortRange'],
    [{ portRangeMax: 9 }, 'SecurityGroupInvalidPortRange'],
    [{ portRangeMin: 0, portRangeMax: 9 }, 'SecurityGroupInvalidPortValue'],
    [{ protocol: null, portRangeMin: 1, portRangeMax: 2 }, 'SecurityGroupProtocolRequiredWithPorts'],
    [{ protocol: 'gre', portRangeMin: 1, portRangeMax: 2 }, 'SecurityGroupInvalidProtocolForPort'],
    [{ protocol: 'icmp', portRangeMin: 256 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', portRangeMin: 1, portRangeMax: 256 }, 'SecurityGroupInvalidIcmpValue'],
    [{ protocol: 'icmp', portRangeMax: 1 }, 'SecurityGroupMissingIcmpType'],
    [{ remoteIpPrefix: 'fd00::/8' }, 'SecurityGroupRuleParameterConflict'],
    [{ protocol: 'ipv6-icmp' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ protocol: '58' }, 'SecurityGroupEthertypeConflictWithProtocol'],
    [{ remoteIpPrefix: '10.0.0.0/8', remoteGroupId: 'g' }, 'SecurityGroupMultipleRemoteEntites'],
  ])('refuses %j: %s', (part, type) => expect(refused(part)).toBe(type));

  it('writes all ports as none, and ICMP in IPv6 by its own name', () => {
    expect(checkedRule(rule({ portRangeMin: 1, portRangeMax: 65_535 }))).toEqual(rule());
    for (const [protocol, own] of [
      ['icmp', 'ipv6-icmp'],
      ['icmpv6', 'ipv6-icmp'],
      ['1', '58'],
      ['58', '58'],
    ]) {
      expect(checkedRule(rule({ ethertype: 'IPv6', protocol: protocol ?? null })).protocol).toBe(own);
    }
  });
});

describe('ruleKey', () => {
  it('is one for what filters alike', () => {
    expect(ruleKey(rule({ protocol: '6' }))).toBe(ruleKey(rule()));
    expect(ruleKey(rule({ remoteIpPrefix: '0.0.0.0/0' }))).toBe(ruleKey(rule()));
    expect(ruleKey(rule({ remoteIpPrefix: '10.1.2.3/8' }))).toBe(ruleKey(rule({ remoteIpPrefix: '10.0.0.0/8' })));
    expect(ruleKey(rule({ portRangeMin: 1, portRangeMax: 1 }))).not.toBe(ruleKey(rule()));
    expect(ruleKey(rule({ direction: 'egress' }))).not.toBe(ruleKey(rule()));
  });
});
