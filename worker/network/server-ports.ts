import { eq, type SQL, sql } from 'drizzle-orm';
import { ports } from '../../db/schema/network.ts';
import { dropDesired } from '../fleet/desired.ts';
import type { Statement } from '../http/commit.ts';
import type { Context, ProjectContext } from '../http/context.ts';
import { assertUnchanged } from './api/races.ts';
import { forgetPorts, runnersKnowing, runnersWith } from './desired/drops.ts';
import { putNeighbors } from './desired/neighbors.ts';
import { dropAddressesOf, leaveAddresses, loseAddresses, placeAddressesOf } from './edge/floating-ips-on.ts';
import { makePicker } from './ipam/address-picks.ts';
import { cryptoRandom, type Random } from './ipam/random.ts';
import { type CarriedNetwork, readCarried } from './networks/carried-networks.ts';
import { chooseServerGroups } from './ports/choose-server-groups.ts';
import { dnsLabel } from './ports/dns-label.ts';
import { checkPort, newServerPort, reserveFixed, resolveRequests } from './ports/new-server-port.ts';
import { insertPorts, listOf, type NewPort, putPortsOnRunner, touchedByPorts } from './ports/port-statements.ts';
import { namedRows, readServerPorts } from './ports/server-port-reads.ts';
import { assertAccess } from './rbac/assert-access.ts';

/** One interface that a server create asks for: a network, an address on it, or a port that exists. */
export interface PortRequest {
  networkId?: string;
  fixedIp?: string;
  portId?: string;
  /** What the guest is told that its owner calls the interface. */
  tag?: string;
}

export interface ServerPortsInput {
  serverId: string;
  /** The guest's name for DHCP; made into a DNS label here. */
  hostname: string;
  /** The server's availability zone: the ports' owner is `compute:<zone>`. */
  zone: string;
  /** `auto`: the project's only usable network, a shared one included; none found is no interface, as in Nova. */
  requests: PortRequest[] | 'auto' | 'none';
  /** Names or ids; empty: the project's default group. */
  securityGroups: string[];
}

/** A change for the caller's own batch. */
export interface PortChange {
  statements: Statement[];
  /**
   * A condition on `runners`: the caller's `touches` must include it, as in
   * ``touches: sql`runners.id = ${id} OR ${plan.touches}` ``. It covers the ports' own runner, and the others that keep
   * these ports as members of a group.
   */
  touches: SQL;
}

/** What a create writes: ports in the order of the requests, and statements for the batch that holds the server row. */
export interface PortPlan extends PortChange {
  portIds: string[];
}

/** Whether the commit of a plan lost a race: read and plan again, a bounded number of times. */
export { lostRace } from './api/races.ts';

/** The reads that `planServerPorts` needs, to be run in the caller's one batch of reads; rows come back in this order. */
export function serverPortReads(
  ctx: ProjectContext,
  input: ServerPortsInput,
  random: Random = cryptoRandom,
): Statement[] {
  return readServerPorts(ctx, input, random);
}

/** What carries the networks that the ports of `serverPortReads` are to be on. */
export const carriedOf = (rows: unknown[]): CarriedNetwork[] => namedRows(rows).carried;

/** Reads what carries the networks that a server's ports are on; rows are `CarriedNetwork`s. */
export const readCarriedOfServer = (ctx: Context, serverId: string): Statement =>
  readCarried(ctx, networksOfPorts(portsOf(serverId)), serverId);

/**
 * Plans a new server's ports, addresses and their desired state on a runner. Addresses are picked from the rows read; the
 * unique keys of the schema refuse a pick that lost a race (see `lostRace`), and the caller reads and plans again.
 * @throws ApiError 400 unknown network, group or address; 409 port in use, several networks without a choice, no address left
 */
export async function planServerPorts(
  ctx: ProjectContext,
  input: ServerPortsInput,
  rows: unknown[],
  runnerId: string,
  random: Random = cryptoRandom,
): Promise<PortPlan> {
  const found = namedRows(rows);
  const requests = resolveRequests(input, found);
  // Groups are checked even where no port takes them, as in Nova.
  const groups = chooseServerGroups(ctx, input.securityGroups, found.groups);
  if (requests.length === 0) return { portIds: [], statements: [], touches: sql`0` };
  const picker = makePicker(found.subnets, found.picks, random);
  for (const request of requests) reserveFixed(ctx, found, request, picker);
  const attached: string[] = [];
  const made: NewPort[] = [];
  const portIds = requests.map((request) => {
    if (request.portId !== undefined) {
      checkPort(found, request.portId, attached);
      attached.push(request.portId);
      return request.portId;
    }
    const port = newServerPort(ctx, input, found, request, { picker, random, runnerId, groupIds: groups.ids });
    made.push(port);
    return port.row.id;
  });
  const ids = listOf(portIds);
  const attachedGroups = sql`SELECT group_id FROM port_security_groups WHERE port_id IN (${listOf(attached)})`;
  return {
    portIds,
    touches: touchedByPorts(
      runnerId,
      sql`SELECT id FROM security_groups WHERE id IN (${listOf(groups.ids)}) OR id IN (${attachedGroups})`,
      sql`SELECT id FROM networks WHERE id IN (${listOf(made.map(({ row }) => row.networkId))})
        OR id IN (SELECT network_id FROM ports WHERE id IN (${listOf(attached)}))`,
      listOf(attached),
    ),
    statements: [
      ...assertAccess(ctx, 'network', networksOf(made, found)),
      ...(made.length > 0 ? groups.statements : []),
      ...insertPorts(ctx, made),
      ...attached.flatMap((id) => attachPort(ctx, input, id, runnerId)),
      ...putPortsOnRunner(ctx, runnerId, ids),
    ],
  };
}

/** The networks of ports. */
const networksOf = (made: NewPort[], found: ReturnType<typeof namedRows>) =>
  found.networks.filter((network) => made.some(({ row }) => row.networkId === network.id));

function attachPort(ctx: Context, input: ServerPortsInput, portId: string, runnerId: string): Statement[] {
  return [
    assertUnchanged(ctx, sql`EXISTS (SELECT 1 FROM ports WHERE id = ${portId} AND device_id = '')`),
    ctx.db
      .update(ports)
      .set({
        deviceId: input.serverId,
        deviceOwner: `compute:${input.zone}`,
        runnerId,
        dnsName: sql`CASE WHEN dns_name = '' THEN ${dnsLabel(input.hostname)} ELSE dns_name END`,
        revision: sql`revision + 1`,
        updatedAtMs: ctx.clock.nowMs(),
      })
      .where(eq(ports.id, portId)),
  ];
}

/**
 * The text of a condition on `ports`, or on what it is called, that holds for a port which is its device's in truth: any
 * tenant may write a server's id into a port of its own. A host serves it, or did when its server was shelved.
 */
export const servedPort = (table = 'ports'): string =>
  `(${table}.runner_id IS NOT NULL OR EXISTS (SELECT 1 FROM servers shelved, json_each(shelved.shelved_spec, '$.ports') kept
    WHERE shelved.id = ${table}.device_id AND shelved.runner_id IS NULL AND kept.value = ${table}.id))`;
const SERVED = sql.raw(servedPort());

/** The ids of a server's ports, for `IN (...)`. */
const portsOf = (serverId: string | SQL): SQL =>
  sql`SELECT ports.id FROM ports WHERE ports.device_id = ${serverId} AND ${SERVED}`;

const networksOfPorts = (portIds: SQL): SQL => sql`SELECT network_id FROM ports WHERE id IN (${portIds})`;

/** What wants a server's ports on a machine that it is to move to, beside the one that serves them. */
export function putServerPorts(ctx: Context, serverId: string | SQL, runnerId: string | SQL): PortChange {
  const ids = portsOf(serverId);
  const groups = sql`SELECT group_id FROM port_security_groups WHERE port_id IN (${ids})`;
  return {
    statements: putPortsOnRunner(ctx, runnerId, ids),
    touches: touchedByPorts(runnerId, groups, networksOfPorts(ids), ids),
  };
}

/** What takes a server's ports from a machine that it does not move to, or has left. The batch's `touches` must cover it. */
export const takePortsFrom = (ctx: Context, serverId: string | SQL, runnerId: string | SQL): Statement =>
  dropDesired(ctx.db, 'port', sql`desired.runner_id = ${runnerId} AND desired.id IN (${portsOf(serverId)})`);

/**
 * Has another machine serve a server's ports from now on; the new one must have them already. The batch's `touches` must
 * cover what `putServerPorts` touches.
 */
export function moveServerPorts(ctx: Context, serverId: string | SQL, to: string | SQL): Statement[] {
  const ids = portsOf(serverId);
  return [
    ctx.db.run(sql`
      UPDATE ports SET runner_id = ${to}, revision = revision + 1, updated_at_ms = ${ctx.clock.nowMs()}
      WHERE device_id = ${serverId} AND runner_id IS NOT NULL AND ${to} IS NOT NULL`),
    putNeighbors(ctx.db, sql`ports.id IN (${ids})`),
    dropDesired(ctx.db, 'neighbor', sql`desired.runner_id = ${to} AND desired.id IN (${ids})`),
    ...placeAddressesOf(ctx.db, ids),
  ];
}

/** What wants a server's ports gone from its runner: for the batch of a delete. Rows stay until the guest is absent. */
export function dropServerPorts(ctx: Context, serverId: string | SQL): PortChange {
  return {
    statements: [
      dropDesired(ctx.db, 'port', sql`id IN (${portsOf(serverId)})`),
      ...dropAddressesOf(ctx.db, portsOf(serverId)),
    ],
    touches: runnersWith('port', portsOf(serverId)),
  };
}

/**
 * What frees a server's ports once its guest is gone: owned ones are deleted with their addresses, others detached. No
 * runner keeps them as members, so that the next owner of an address is not let in by it.
 * `serverId` may be an expression that is null until the server is deleted, so that a stale report frees nothing.
 */
export function releaseServerPorts(ctx: Context, serverId: string | SQL): PortChange {
  const drop = dropServerPorts(ctx, serverId);
  const attached = sql`device_id = ${serverId} AND ${SERVED}`;
  return {
    touches: sql`(${drop.touches} OR ${runnersKnowing(portsOf(serverId))})`,
    statements: [
      ...drop.statements,
      ...forgetPorts(ctx.db, portsOf(serverId)),
      ...loseAddresses(ctx, sql`${portsOf(serverId)} AND ports.owned_by_server`),
      ctx.db.delete(ports).where(sql`${attached} AND owned_by_server`),
      ...leaveAddresses(ctx.db, portsOf(serverId)),
      freePorts(ctx, attached),
    ],
  };
}

/**
 * What takes a server's ports off its host, which has let go of the guest, and keeps them for it: no runner has them as
 * members meanwhile.
 */
export function unbindServerPorts(ctx: Context, serverId: string | SQL): PortChange {
  const served = sql`SELECT ports.id FROM ports WHERE ports.device_id = ${serverId} AND ports.runner_id IS NOT NULL`;
  return {
    touches: runnersKnowing(served),
    statements: [
      ...forgetPorts(ctx.db, served),
      ...leaveAddresses(ctx.db, served),
      ctx.db
        .update(ports)
        .set({ runnerId: null, status: 'DOWN', revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(sql`device_id = ${serverId} AND runner_id IS NOT NULL`),
    ],
  };
}

/** What brings the ports of a server without a host to one, for the batch that brings the server there. */
export function bindServerPorts(ctx: Context, serverId: string, runnerId: string): PortChange {
  const groups = sql`SELECT group_id FROM port_security_groups WHERE port_id IN (${portsOf(serverId)})`;
  return {
    touches: touchedByPorts(runnerId, groups, networksOfPorts(portsOf(serverId)), portsOf(serverId)),
    statements: [
      ctx.db
        .update(ports)
        .set({ runnerId, revision: sql`revision + 1`, updatedAtMs: ctx.clock.nowMs() })
        .where(sql`device_id = ${serverId} AND runner_id IS NULL AND ${SERVED}`),
      ...putPortsOnRunner(ctx, runnerId, portsOf(serverId)),
    ],
  };
}

/** What unplugs one port of a server, for the batch that takes it out of the server's spec: an owned one goes, another is free. */
export function detachServerPort(ctx: Context, portId: string): PortChange {
  const id = sql`${portId}`;
  return {
    touches: sql`(${runnersWith('port', id)} OR ${runnersKnowing(id)})`,
    statements: [
      dropDesired(ctx.db, 'port', sql`desired.id = ${portId}`),
      ...forgetPorts(ctx.db, id),
      ...loseAddresses(ctx, sql`SELECT ports.id FROM ports WHERE ports.id = ${portId} AND ports.owned_by_server`),
      ctx.db.delete(ports).where(sql`id = ${portId} AND owned_by_server`),
      ...leaveAddresses(ctx.db, id),
      freePorts(ctx, sql`id = ${portId}`),
    ],
  };
}

const freePorts = (ctx: Context, where: SQL): Statement =>
  ctx.db
    .update(ports)
    .set({
      deviceId: '',
      deviceOwner: '',
      runnerId: null,
      status: 'DOWN',
      dnsName: '',
      revision: sql`revision + 1`,
      updatedAtMs: ctx.clock.nowMs(),
    })
    .where(where);
