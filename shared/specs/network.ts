import { z } from 'zod';

export const ipVersion = z.union([z.literal(4), z.literal(6)]);
export const macAddress = z.string().regex(/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
export const cidrText = z.union([z.cidrv4(), z.cidrv6()]);
export const ipText = z.union([z.ipv4(), z.ipv6()]);
export const uuid = z.string().regex(/^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/);

export const subnetSpec = z.object({
  id: uuid,
  ip_version: ipVersion,
  cidr: cidrText,
  gateway_ip: ipText.nullable(),
  enable_dhcp: z.boolean(),
  dns_nameservers: z.array(ipText).max(8),
  host_routes: z.array(z.object({ destination: cidrText, nexthop: ipText })).max(32),
});

/** A network as a host serves it: one bridge, its gateway, DHCP, metadata, and SNAT to the outside. */
export const networkSpec = z.object({
  id: uuid,
  mtu: z.int().min(68).max(9216),
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

/** A guest's port: a tap on the network's bridge, tied to its addresses. */
export const portSpec = z.object({
  id: uuid,
  network_id: uuid,
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
});

/** A security group as a host enforces it. Who is in a remote group comes as `group-member` objects. */
export const securityGroupSpec = z.object({
  id: uuid,
  rules: z.array(securityGroupRuleSpec).max(1000),
});
export type SecurityGroupSpec = z.infer<typeof securityGroupSpec>;

/** One port's addresses in one group, anywhere in the region. Its object id is `<group id>:<port id>`. */
export const groupMemberSpec = z.object({
  group_id: uuid,
  port_id: uuid,
  addresses: z.array(ipText).max(16),
});
export type GroupMemberSpec = z.infer<typeof groupMemberSpec>;
