import { sql } from 'drizzle-orm';
import { index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

export const networks = sqliteTable(
  'networks',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    adminStateUp: integer({ mode: 'boolean' }).notNull().default(true),
    shared: integer({ mode: 'boolean' }).notNull().default(false),
    mtu: integer().notNull().default(1450),
    portSecurityEnabled: integer({ mode: 'boolean' }).notNull().default(true),
    /** Routers may have it as their gateway. */
    external: integer({ mode: 'boolean' }).notNull().default(false),
    /** Which external network a router gets that names none. */
    isDefault: integer({ mode: 'boolean' }).notNull().default(false),
    networkType: text({ enum: ['local', 'vxlan', 'vlan', 'flat'] })
      .notNull()
      .default('local'),
    physicalNetwork: text(),
    /** VXLAN network identifier or 802.1Q id. */
    segmentationId: integer(),
    /** Each machine is the gateway of its own guests, and translates what they send out. */
    multiHost: integer({ mode: 'boolean' }).notNull().default(true),
    availabilityZoneHints: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    dnsDomain: text().notNull().default(''),
    qosPolicyId: text(),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('networks_project').on(t.projectId),
    uniqueIndex('networks_vxlan').on(t.region, t.segmentationId).where(sql`network_type = 'vxlan'`),
    uniqueIndex('networks_vlan').on(t.region, t.physicalNetwork, t.segmentationId).where(sql`network_type = 'vlan'`),
    uniqueIndex('networks_flat').on(t.region, t.physicalNetwork).where(sql`network_type = 'flat'`),
  ],
);

/** Addresses that may be handed out. `first` and `last` are `start` and `end` less the subnet's first address. */
export interface AllocationPool {
  start: string;
  end: string;
  first: number;
  last: number;
}

export const subnets = sqliteTable(
  'subnets',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    networkId: text()
      .notNull()
      .references(() => networks.id),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    ipVersion: integer().notNull(),
    cidr: text().notNull(),
    gatewayIp: text(),
    enableDhcp: integer({ mode: 'boolean' }).notNull().default(true),
    dnsNameservers: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    hostRoutes: text({ mode: 'json' }).$type<{ destination: string; nexthop: string }[]>().notNull().default(sql`'[]'`),
    allocationPools: text({ mode: 'json' }).$type<AllocationPool[]>().notNull(),
    ipv6RaMode: text({ enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] }),
    ipv6AddressMode: text({ enum: ['slaac', 'dhcpv6-stateful', 'dhcpv6-stateless'] }),
    subnetpoolId: text(),
    serviceTypes: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [index('subnets_network').on(t.networkId)],
);

export const ports = sqliteTable(
  'ports',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    networkId: text()
      .notNull()
      .references(() => networks.id),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    macAddress: text().notNull(),
    adminStateUp: integer({ mode: 'boolean' }).notNull().default(true),
    /** ACTIVE only when the runner reports its rules in force. */
    status: text({ enum: ['ACTIVE', 'DOWN', 'BUILD', 'ERROR'] })
      .notNull()
      .default('DOWN'),
    portSecurityEnabled: integer({ mode: 'boolean' }).notNull().default(true),
    deviceId: text().notNull().default(''),
    deviceOwner: text().notNull().default(''),
    /** The host that serves it. */
    runnerId: text(),
    /** Made by a server create and removed with the server. */
    ownedByServer: integer({ mode: 'boolean' }).notNull().default(false),
    dnsName: text().notNull().default(''),
    allowedAddressPairs: text({ mode: 'json' })
      .$type<{ ip_address: string; mac_address: string }[]>()
      .notNull()
      .default(sql`'[]'`),
    extraDhcpOpts: text({ mode: 'json' })
      .$type<{ name: string; value: string; ip_version: 4 | 6 }[]>()
      .notNull()
      .default(sql`'[]'`),
    vnicType: text().notNull().default('normal'),
    bindingProfile: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull().default(sql`'{}'`),
    qosPolicyId: text(),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('ports_mac').on(t.region, t.macAddress),
    index('ports_network').on(t.networkId),
    /** Which routers a network is on, however many guests it has. */
    index('ports_network_owner').on(t.networkId, t.deviceOwner),
    index('ports_device').on(t.deviceId),
    index('ports_project').on(t.projectId),
  ],
);

/** One row an address in use: the primary key is what keeps two ports from one address, whatever races. */
export const ipAllocations = sqliteTable(
  'ip_allocations',
  {
    subnetId: text()
      .notNull()
      .references(() => subnets.id),
    /**
     * The address minus the network's first address; at most 2^53 by the limit on pool sizes. Below zero where the guest
     * makes the address of its hardware address (see worker/network/ipam/auto-addresses.ts).
     */
    hostOffset: integer().notNull(),
    ipAddress: text().notNull(),
    portId: text()
      .notNull()
      .references(() => ports.id, { onDelete: 'cascade' }),
    position: integer().notNull().default(0),
  },
  (t) => [primaryKey({ columns: [t.subnetId, t.hostOffset] }), index('ip_allocations_port').on(t.portId)],
);

export const securityGroups = sqliteTable(
  'security_groups',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull(),
    description: text().notNull().default(''),
    stateful: integer({ mode: 'boolean' }).notNull().default(true),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('security_groups_project').on(t.projectId),
    uniqueIndex('security_groups_default').on(t.region, t.projectId).where(sql`name = 'default'`),
  ],
);

export const securityGroupRules = sqliteTable(
  'security_group_rules',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    groupId: text()
      .notNull()
      .references(() => securityGroups.id, { onDelete: 'cascade' }),
    description: text().notNull().default(''),
    direction: text({ enum: ['ingress', 'egress'] }).notNull(),
    ethertype: text({ enum: ['IPv4', 'IPv6'] }).notNull(),
    /** As the client named it: a name or a number in text; null for any. */
    protocol: text(),
    portRangeMin: integer(),
    portRangeMax: integer(),
    remoteIpPrefix: text(),
    remoteGroupId: text(),
    remoteAddressGroupId: text(),
    createdAtMs: integer().notNull(),
  },
  (t) => [index('security_group_rules_group').on(t.groupId), index('security_group_rules_remote').on(t.remoteGroupId)],
);

export const portSecurityGroups = sqliteTable(
  'port_security_groups',
  {
    portId: text()
      .notNull()
      .references(() => ports.id, { onDelete: 'cascade' }),
    groupId: text()
      .notNull()
      .references(() => securityGroups.id),
  },
  (t) => [primaryKey({ columns: [t.portId, t.groupId] }), index('port_security_groups_group').on(t.groupId)],
);
