import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import { ipAllocations, networks, ports, securityGroups, subnets } from '../../../db/schema/network.ts';
import { formatIp, parseIp } from '../../../shared/cidr.ts';
import type { Statement } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { isAdmin } from '../../http/policy.ts';
import { type PickRow, readPicks, type SubnetRow } from '../ipam/address-picks.ts';
import type { Random } from '../ipam/random.ts';
import { type CarriedNetwork, readCarried } from '../networks/carried-networks.ts';
import { sharedWith } from '../rbac/shared-with.ts';
import { DEFAULT_GROUP_NAME, type GroupRow } from '../security-groups/new-group.ts';
import type { ServerPortsInput } from '../server-ports.ts';
import type { PortRow } from './port-statements.ts';

/** What the reads of a server's ports give, by name. */
export interface ServerPortRows {
  networks: (typeof networks.$inferSelect)[];
  subnets: SubnetRow[];
  picks: PickRow[];
  /** Asked-for addresses that are in use. */
  taken: { networkId: string; ipAddress: string; deviceId: string }[];
  /** Asked-for ports, with how many addresses they have. */
  ports: { row: PortRow; addresses: number }[];
  groups: GroupRow[];
  /** What carries the networks that ports may be on. */
  carried: CarriedNetwork[];
}

/** The rows of `readServerPorts`, by name. They come in that order. */
export function namedRows(rows: unknown[]): ServerPortRows {
  const [networkRows, subnetRows, picks, taken, portRows, groups, carried] = rows as [
    ServerPortRows['networks'],
    SubnetRow[],
    PickRow[],
    ServerPortRows['taken'],
    ServerPortRows['ports'],
    GroupRow[],
    CarriedNetwork[],
  ];
  return { networks: networkRows, subnets: subnetRows, picks, taken, ports: portRows, groups, carried };
}

/** What planning a server's ports must know, in the order that `namedRows` expects. */
export function readServerPorts(ctx: ProjectContext, input: ServerPortsInput, random: Random): Statement[] {
  const { db } = ctx;
  const requests = Array.isArray(input.requests) ? input.requests : [];
  const usable = usableNetworks(ctx, input);
  const ofUsable = sql`subnets.network_id IN (SELECT networks.id FROM networks WHERE ${usable})`;
  const fixedIps = requests.flatMap((request) => {
    const ip = request.fixedIp === undefined ? null : parseIp(request.fixedIp);
    return ip ? [formatIp(ip)] : [];
  });
  const portIds = requests.flatMap((request) => request.portId ?? []);
  const named = and(
    inArray(ports.id, portIds),
    eq(ports.region, ctx.region),
    isAdmin(ctx) ? undefined : eq(ports.projectId, ctx.actor.projectId),
  );
  const networksOfNamed = sql`SELECT ports.network_id FROM ports WHERE ${named}`;
  return [
    db.select().from(networks).where(usable).orderBy(networks.id),
    db.select().from(subnets).where(ofUsable).orderBy(subnets.createdAtMs, subnets.id),
    readPicks(db, ofUsable, Math.max(1, requests.length), random),
    db
      .select({ networkId: subnets.networkId, ipAddress: ipAllocations.ipAddress, deviceId: ports.deviceId })
      .from(ipAllocations)
      .innerJoin(subnets, eq(subnets.id, ipAllocations.subnetId))
      .innerJoin(ports, eq(ports.id, ipAllocations.portId))
      .where(and(inArray(ipAllocations.ipAddress, fixedIps), ofUsable)),
    db
      .select({
        row: ports,
        addresses: sql<number>`(SELECT count(*) FROM ip_allocations a WHERE a.port_id = ${ports.id})`,
      })
      .from(ports)
      .where(named),
    db.select().from(securityGroups).where(namedGroups(ctx, input)),
    readCarried(ctx, sql`SELECT networks.id FROM networks WHERE ${usable} UNION ${networksOfNamed}`, input.serverId),
  ];
}

/** The networks that may serve the requests. `auto` needs only to know whether there is one or more. */
function usableNetworks(ctx: ProjectContext, input: ServerPortsInput): SQL {
  const project = sql`${ctx.actor.projectId}`;
  const own = sql`(networks.project_id = ${project} OR ${sharedWith('network', sql`networks.id`, project)})`;
  if (input.requests === 'none') return sql`0`;
  if (input.requests === 'auto') {
    return sql`networks.id IN (SELECT networks.id FROM networks WHERE networks.region = ${ctx.region} AND ${own} LIMIT 2)`;
  }
  const ids = input.requests.flatMap((request) => request.networkId ?? []);
  const visible = isAdmin(ctx) ? undefined : own;
  return and(inArray(networks.id, ids), eq(networks.region, ctx.region), visible) ?? sql`0`;
}

function namedGroups(ctx: ProjectContext, input: ServerPortsInput): SQL | undefined {
  const names = input.securityGroups.length > 0 ? input.securityGroups : [DEFAULT_GROUP_NAME];
  return and(
    eq(securityGroups.region, ctx.region),
    eq(securityGroups.projectId, ctx.actor.projectId),
    or(inArray(securityGroups.name, names), inArray(securityGroups.id, names)),
  );
}
