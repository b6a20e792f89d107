import { z } from 'zod';
import { RULES_PER_GROUP_MAX } from '../limits.ts';

export const ipVersion = z.union([z.literal(4), z.literal(6)]);
export const macAddress = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
export const cidrText = z.union([z.cidrv4(), z.cidrv6()]);
export const ipText = z.union([z.ipv4(), z.ipv6()]);
export const ipv6Mode = z.enum(['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless']);
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);

export const subnetSpec = z.object({
  id: uuid,
  ip_version: ipVersion,
  cidr: cidrText,
  gateway_ip: ipText.nullable(),
  enable_dhcp: z.boolean(),
  dns_nameservers: z.array(ipText).max(8),
  host_routes: z.array(z.object({ destination: cidrText, nexthop: ipText })).max(32),
  ipv6_ra_mode: ipv6Mode.nullable().default(null),
  ipv6_address_mode: ipv6Mode.nullable().default(null),
});

/** A name of a network of cables, as a runner maps it to an interface of its machine. */
export const physicalNetwork = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/);

/**
 * What carries a network between machines: nothing, a VXLAN (RFC 7348) over the runners' tunnel addresses, an 802.1Q id
 * on a physical network, or that physical network as it is.
 */
export const segmentSpec = z.discriminatedUnion('type', [
  z.object({ type: z.literal('local') }),
  z.object({ type: z.literal('vxlan'), id: z.int().min(1).max(0xff_ffff) }),
  z.object({ type: z.literal('vlan'), id: z.int().min(1).max(4094), physical_network: physicalNetwork }),
  z.object({ type: z.literal('flat'), physical_network: physicalNetwork }),
]);

/** A network as a host serves it: one bridge, its gateway, DHCP, metadata, and SNAT to the outside. */
export const networkSpec = z.object({
  id: uuid,
  mtu: z.int().min(68).max(9216),
  segment: segmentSpec.default({ type: 'local' }),
  /** Routers may have it as their gateway; its own guests, where it has any, are outside of every router. */
  external: z.boolean().default(false),
  /** Multi-host: each machine is the gateway of its own guests, and translates what they send out to its own address. */
  snat: z.boolean(),
  /**
   * Whether the machine's own processes reach the guests. Only for networks that an operator shares: a tenant's ranges are
   * its own choice, and could cover what the machine itself needs.
   */
  host_access: z.boolean(),
  subnets: z.array(subnetSpec).max(64),
});
export type NetworkSpec = z.infer<typeof networkSpec>;

export const fixedIp = z.object({ subnet_id: uuid, ip_address: ipText });

/** Other addresses that a port may send from, beside its own. A single address is a range of one. */
export const addressPair = z.object({ ip_address: cidrText, mac_address: macAddress });

/** An option that DHCP gives to one port: a name as dnsmasq knows it, or a number. */
export const dhcpOption = z.object({
  name: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** No control characters: it becomes a line of a configuration. */
  value: z.string().regex(/^[\x20-\x7e]{0,255}$/),
  ip_version: ipVersion,
});

/** What a port or floating IP may send and receive; directions are the guest's. Null: without a limit. */
export const qosSpec = z.object({
  egress_kbps: z.int().min(1).nullable(),
  egress_burst_kbits: z.int().min(0).nullable(),
  ingress_kbps: z.int().min(1).nullable(),
  ingress_burst_kbits: z.int().min(0).nullable(),
  dscp_mark: z.int().min(0).max(56).nullable(),
});
export type QosSpec = z.infer<typeof qosSpec>;

/** A guest's port: a tap on the network's bridge, tied to its addresses. */
export const portSpec = z.object({
  id: uuid,
  network_id: uuid,
  /** Whose it is: exceptions of the intranet filter and counts of denied packets go by it. */
  project_id: z.string().max(64).default(''),
  server_id: uuid.nullable(),
  mac_address: macAddress,
  fixed_ips: z.array(fixedIp).max(16),
  /** Name that DHCP hands out; a DNS label. */
  hostname: z
    .string()
    .regex(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/)
    .nullable(),
  admin_state_up: z.boolean(),
  port_security_enabled: z.boolean(),
  security_groups: z.array(uuid).max(64),
  mtu: z.int().min(68).max(9216),
  allowed_address_pairs: z.array(addressPair).max(64).default([]),
  extra_dhcp_opts: z.array(dhcpOption).max(32).default([]),
  qos: qosSpec.nullable().default(null),
});
export type PortSpec = z.infer<typeof portSpec>;

export const securityGroupRuleSpec = z.object({
  id: uuid,
  direction: z.enum(['ingress', 'egress']),
  ethertype: z.enum(['IPv4', 'IPv6']),
  /** IP protocol number, or null for any. */
  protocol: z.int().min(0).max(255).nullable(),
  /** Ports (TCP, UDP, SCTP) or ICMP type and code; null for any. */
  port_range_min: z.int().min(0).max(65535).nullable(),
  port_range_max: z.int().min(0).max(65535).nullable(),
  remote_ip_prefix: cidrText.nullable(),
  remote_group_id: uuid.nullable(),
  remote_address_group_id: uuid.nullable().default(null),
});

/** A security group as a host enforces it. Who is in a remote group comes as `group-member` objects. */
export const securityGroupSpec = z.object({
  id: uuid,
  /** Whether answers pass without a rule of their own. */
  stateful: z.boolean().default(true),
  rules: z.array(securityGroupRuleSpec).max(RULES_PER_GROUP_MAX),
});
export type SecurityGroupSpec = z.infer<typeof securityGroupSpec>;

/** One port's addresses in one group, anywhere in the region. Its object id is `<group id>:<port id>`. */
export const groupMemberSpec = z.object({
  group_id: uuid,
  port_id: uuid,
  /** Its own, and those of its allowed address pairs that are one address. */
  addresses: z.array(ipText).max(32),
});
export type GroupMemberSpec = z.infer<typeof groupMemberSpec>;

/** A named list of ranges, that rules of security groups refer to. */
export const addressGroupSpec = z.object({ id: uuid, addresses: z.array(cidrText).max(1000) });

/** A port of a VXLAN network that another machine serves: where frames for it go. Its object id is the port's. */
export const neighborSpec = z.object({
  port_id: uuid,
  network_id: uuid,
  mac_address: macAddress,
  addresses: z.array(ipText).max(16),
  /** The other machine's tunnel address. */
  tunnel_ip: ipText,
});
export type NeighborSpec = z.infer<typeof neighborSpec>;
