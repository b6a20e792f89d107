import { sql } from 'drizzle-orm';
import { index, integer, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';
import { networks, ports } from './network.ts';

/**
 * What joins networks of guests, and leads them outside. Its interfaces and its gateway are ports, whose device is the
 * router: `network:router_interface` and `network:router_gateway`.
 */
export const routers = sqliteTable(
  'routers',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    name: text().notNull().default(''),
    description: text().notNull().default(''),
    adminStateUp: integer({ mode: 'boolean' }).notNull().default(true),
    /** Whether guests without a floating IP are translated at the gateway. */
    enableSnat: integer({ mode: 'boolean' }).notNull().default(true),
    routes: text({ mode: 'json' }).$type<{ destination: string; nexthop: string }[]>().notNull().default(sql`'[]'`),
    availabilityZoneHints: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [index('routers_project').on(t.projectId)],
);

/** An address of an external network that is one guest's, or, by forwarded ports, many guests'. */
export const floatingIps = sqliteTable(
  'floating_ips',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    description: text().notNull().default(''),
    floatingNetworkId: text()
      .notNull()
      .references(() => networks.id),
    /** The port of nobody that keeps the address. */
    floatingPortId: text()
      .notNull()
      .references(() => ports.id),
    floatingIpAddress: text().notNull(),
    /** Whose it is, with the address of it that is translated; all three together or, with forwarded ports, only the router. */
    portId: text().references(() => ports.id),
    fixedIpAddress: text(),
    routerId: text().references(() => routers.id),
    /** ACTIVE when the machine of the port reports it in force. */
    status: text({ enum: ['ACTIVE', 'DOWN', 'ERROR'] })
      .notNull()
      .default('DOWN'),
    /** The machine that announces an address whose ports are forwarded. */
    holderId: text(),
    dnsName: text().notNull().default(''),
    dnsDomain: text().notNull().default(''),
    qosPolicyId: text(),
    tags: text({ mode: 'json' }).$type<string[]>().notNull().default(sql`'[]'`),
    revision: integer().notNull().default(1),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [
    index('floating_ips_project').on(t.projectId),
    index('floating_ips_router').on(t.routerId),
    uniqueIndex('floating_ips_floating_port').on(t.floatingPortId),
    uniqueIndex('floating_ips_fixed')
      .on(t.portId, t.fixedIpAddress, t.floatingNetworkId)
      .where(sql`port_id IS NOT NULL`),
  ],
);

/** Ports of a floating IP that lead to ports of a guest. */
export const portForwardings = sqliteTable(
  'port_forwardings',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    floatingIpId: text()
      .notNull()
      .references(() => floatingIps.id),
    description: text().notNull().default(''),
    protocol: text({ enum: ['tcp', 'udp', 'sctp', 'dccp', 'icmp'] }).notNull(),
    /** First and last; null for ICMP. */
    externalFirst: integer(),
    externalLast: integer(),
    internalFirst: integer(),
    internalLast: integer(),
    portId: text()
      .notNull()
      .references(() => ports.id),
    internalIpAddress: text().notNull(),
    createdAtMs: integer().notNull(),
    updatedAtMs: integer().notNull(),
  },
  (t) => [index('port_forwardings_floating_ip').on(t.floatingIpId), index('port_forwardings_port').on(t.portId)],
);
