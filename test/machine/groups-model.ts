import { contains, parseCidr, parseIp } from '../../shared/cidr.ts';
import type { GroupMemberSpec, PortSpec, SecurityGroupSpec } from '../../shared/specs/network.ts';

/* What Neutron's documentation says of security groups, and nothing of how they are enforced. */

export interface Packet {
  from: PortSpec;
  to: PortSpec;
  source: string;
  target: string;
  version: 4 | 6;
  protocol: number;
  /** Of TCP and UDP. */
  sourcePort: number;
  port: number;
  /** Of ICMP: its requests' type, its code, and what tells one exchange from another. */
  type: number;
  code: number;
  exchange: number;
  /** Whether it can be the first of a connection: answers of TCP and ICMP cannot. */
  begins: boolean;
}

export interface Cloud {
  groups: SecurityGroupSpec[];
  members: GroupMemberSpec[];
  addressGroups: Map<string, string[]>;
}

type Rule = SecurityGroupSpec['rules'][number];
type Direction = Rule['direction'];
const ICMP = [1, 58];
const WITH_PORTS = [6, 17, 136];

/** Decides of one packet after the other; remembers whose questions passed. */
export class GroupsModel {
  /** The first packet of each connection, by what an answer has in common with it. */
  readonly #flows = new Map<string, Packet>();

  passes(cloud: Cloud, packet: Packet): boolean {
    const key = flowOf(packet);
    const first = this.#flows.get(key);
    const question = first !== undefined && first.source !== packet.source ? first : undefined;
    const passes =
      judged(cloud, packet, 'egress', packet.from, question) && judged(cloud, packet, 'ingress', packet.to, question);
    if (passes && first === undefined) this.#flows.set(key, packet);
    return passes;
  }
}

function flowOf(packet: Packet): string {
  const ends = [`${packet.source} ${packet.sourcePort}`, `${packet.target} ${packet.port}`].sort();
  return [packet.protocol, packet.exchange, ...ends].join(' ');
}

function judged(cloud: Cloud, packet: Packet, direction: Direction, port: PortSpec, question?: Packet): boolean {
  if (!port.port_security_enabled) return true;
  const groups = cloud.groups.filter((group) => port.security_groups.includes(group.id));
  if (groups.every((group) => group.stateful)) {
    // An answer passes as long as its question would.
    if (question && lets(cloud, groups, question, direction === 'egress' ? 'ingress' : 'egress')) return true;
    // Where state is kept, what belongs to no connection is dropped.
    if (!question && !packet.begins) return false;
  }
  return lets(cloud, groups, packet, direction);
}

function lets(cloud: Cloud, groups: SecurityGroupSpec[], packet: Packet, direction: Direction): boolean {
  const remote = direction === 'egress' ? packet.target : packet.source;
  return groups.some(({ rules }) =>
    rules.some((rule) => rule.direction === direction && allows(cloud, rule, packet, remote)),
  );
}

function allows(cloud: Cloud, rule: Rule, packet: Packet, remote: string): boolean {
  if ((rule.ethertype === 'IPv4') !== (packet.version === 4)) return false;
  return isRemote(cloud, rule, remote) && isProtocol(rule, packet);
}

function isRemote(cloud: Cloud, rule: Rule, remote: string): boolean {
  if (rule.remote_group_id !== null) {
    const members = cloud.members.filter((member) => member.group_id === rule.remote_group_id);
    return members.some((member) => member.addresses.includes(remote));
  }
  if (rule.remote_address_group_id !== null)
    return (cloud.addressGroups.get(rule.remote_address_group_id) ?? []).some((cidr) => isIn(cidr, remote));
  return rule.remote_ip_prefix === null || isIn(rule.remote_ip_prefix, remote);
}

function isIn(cidr: string, address: string): boolean {
  const [range, ip] = [parseCidr(cidr), parseIp(address)];
  return range !== null && ip !== null && contains(range, ip);
}

function isProtocol(rule: Rule, packet: Packet): boolean {
  if (rule.protocol === null) return true;
  const icmp = ICMP.includes(rule.protocol) && ICMP.includes(packet.protocol);
  if (rule.protocol !== packet.protocol && !icmp) return false;
  const [low, high] = [rule.port_range_min, rule.port_range_max];
  if (low === null) return true;
  if (icmp) return packet.type === low && (high === null || packet.code === high);
  return !WITH_PORTS.includes(packet.protocol) || (packet.port >= low && packet.port <= (high ?? low));
}
