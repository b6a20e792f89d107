import { eq, type SQL, sql } from 'drizzle-orm';
import { ipAllocations, portSecurityGroups, ports } from '../../../db/schema/network.ts';
import { ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Updated } from '../api/attributes.ts';
import { assertRevision, checkRevision, whileRacing } from '../api/races.ts';
import { dropMembers, dropUnneeded, memberIdsOf, runnersWith } from '../desired/drops.ts';
import { loseOldAddresses } from '../edge/floating-ips-on.ts';
import { makePicker, type SubnetRow } from '../ipam/address-picks.ts';
import { assertAutoAddressed, autoAddress, follows, isAuto } from '../ipam/auto-addresses.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { refuseTaking, usePolicies } from '../qos/choose-policy.ts';
import { assertAccess } from '../rbac/assert-access.ts';
import { type Readdressed, readdressed } from '../routers/readdress-interface.ts';
import { choosePairs } from './address-pairs.ts';
import type { portAttributes } from './attributes.ts';
import { chooseGroups, namedGroups, refuseGroupsWithoutSecurity } from './choose-groups.ts';
import { macAddressInUse } from './create-ports.ts';
import { chooseOptions } from './dhcp-options.ts';
import { planAddresses, reserveNamed } from './plan-addresses.ts';
import { readForPorts } from './port-reads.ts';
import { type PortWithPlace, selectPorts, vifType } from './port-rows.ts';
import { listOf, putPortsOnRunner, touchedByPorts } from './port-statements.ts';
import { refuseUpdate } from './service-ports.ts';
import { showPort } from './show-port.ts';

export interface PortUpdate {
  id: string;
  changes: Updated<typeof portAttributes>;
  expectedRevision: number | undefined;
}

/**
 * Changes a port, its addresses and its groups, and what its host and the hosts that know its memberships hold.
 * @throws ApiError 400 an address or group that cannot be, 403 what only the network's owner may ask, 404 not seen, or no such
 *   group, 409 address, MAC or device in use, or no address left, 412 another revision
 */
export function updatePort(
  ctx: ActorContext,
  input: PortUpdate,
  random: Random = cryptoRandom,
): Promise<PortWithPlace> {
  return whileRacing(async () => {
    const row = await showPort(ctx, input.id);
    authorizeUpdate(ctx, row, input.changes);
    checkRevision(input.expectedRevision, row);
    refuseUpdate(row, input.changes);
    refuseWhileBound(row, input.changes);
    await refuseTaking(ctx, row.qosPolicyId, input.changes.qos_policy_id);
    const governed = await usePolicies(ctx, [input.changes.qos_policy_id]);
    const addresses = await plannedAddresses(ctx, row, input.changes, random);
    const routed = await readdressed(ctx, row, addresses.addresses);
    return write(ctx, row, { ...input, ...addresses, access: [...governed, ...addresses.access], routed });
  });
}

function authorizeUpdate(ctx: ActorContext, row: PortWithPlace, changes: PortUpdate['changes']): void {
  enforce(ctx, 'update_port', { projectId: row.projectId });
  const ofNetwork = { projectId: row.networkProjectId };
  if (changes.mac_address !== undefined && changes.mac_address !== row.macAddress) {
    enforce(ctx, 'update_port:mac_address', ofNetwork);
  }
  const special =
    changes.fixed_ips !== undefined ||
    changes.port_security_enabled !== undefined ||
    changes.device_owner?.startsWith('network:');
  if (special) enforce(ctx, 'update_port:network_owner', ofNetwork);
}

/** A guest keeps its device and its MAC while it has the port. */
function refuseWhileBound(row: PortWithPlace, changes: PortUpdate['changes']): void {
  if (row.runnerId === null) return;
  if (
    (changes.device_id ?? row.deviceId) !== row.deviceId ||
    (changes.device_owner ?? row.deviceOwner) !== row.deviceOwner
  ) {
    throw conflict(
      `Unable to complete operation on port ${row.id} for network ${row.networkId}. Port already has an attached device ${row.deviceId}.`,
      'PortInUse',
    );
  }
  if ((changes.mac_address ?? row.macAddress) !== row.macAddress) {
    throw conflict(
      `Unable to complete operation on port ${row.id}, port is already bound, port type: ${vifType(row)}, old_mac ${row.macAddress}, new_mac ${changes.mac_address}.`,
      'PortBound',
    );
  }
}

interface Planned {
  addresses: PortWithPlace['addresses'];
  groupIds: string[];
  /** What must still hold of the groups. */
  access: Statement[];
}

async function plannedAddresses(
  ctx: ActorContext,
  row: PortWithPlace,
  changes: PortUpdate['changes'],
  random: Random,
): Promise<Planned> {
  const { fixed_ips: wanted, security_groups: groupIds } = changes;
  const portSecurityEnabled = changes.port_security_enabled ?? row.portSecurityEnabled;
  const mac = changes.mac_address ?? row.macAddress;
  if (wanted === undefined && groupIds === undefined && mac === row.macAddress) {
    refuseGroupsWithoutSecurity(portSecurityEnabled, row.groupIds);
    return { addresses: row.addresses, groupIds: row.groupIds, access: [] };
  }
  const question = {
    networkIds: [row.networkId],
    wanted: wanted ?? [],
    groupIds: groupIds ?? [],
    projectIds: [],
    count: 1,
  };
  const found = await readForPorts(ctx, question, random);
  const picker = makePicker(found.subnets, found.picks, random);
  const ofGuest = follows(row.deviceOwner) ? mac : null;
  const plan = {
    networkId: row.networkId,
    subnets: found.subnets,
    wanted,
    current: row.addresses,
    mac: ofGuest,
    picker,
  };
  reserveNamed(plan, found.taken);
  const addresses =
    wanted === undefined
      ? remade(row.addresses, found.subnets, { from: row.macAddress, to: mac })
      : planAddresses(plan);
  if (groupIds === undefined) {
    refuseGroupsWithoutSecurity(portSecurityEnabled, row.groupIds);
    return { addresses, groupIds: row.groupIds, access: [] };
  }
  const wish = { projectId: row.projectId, wanted: groupIds, deviceOwner: row.deviceOwner, portSecurityEnabled };
  const added = groupIds.filter((id) => !row.groupIds.includes(id));
  return {
    addresses,
    groupIds: chooseGroups(ctx, wish, found.groups, []),
    access: assertAccess(ctx, 'security_group', namedGroups(found, added)),
  };
}

/** A port's addresses once its hardware address is another: those that the guest makes of it change with it. */
function remade(
  addresses: PortWithPlace['addresses'],
  subnets: SubnetRow[],
  mac: { from: string; to: string },
): PortWithPlace['addresses'] {
  if (mac.from === mac.to) return addresses;
  return addresses.map((address) => {
    const subnet = subnets.find((one) => one.id === address.subnetId);
    return subnet && isAuto(subnet) && address.hostOffset < 0 ? autoAddress(subnet, mac.to) : address;
  });
}

async function write(
  ctx: ActorContext,
  row: PortWithPlace,
  input: PortUpdate & Planned & { routed: Readdressed },
): Promise<PortWithPlace> {
  const { changes } = input;
  const { runnerId } = row;
  const results = await commit(ctx, {
    audit: { action: 'update_port', targetType: 'port', targetId: row.id, detail: { ...changes } },
    touches: runnerId === null ? input.routed.touches : touched(row, runnerId, input.groupIds),
    statements: [
      assertRevision(ctx, 'ports', row),
      ...input.access,
      ctx.db
        .update(ports)
        .set({
          name: changes.name ?? row.name,
          description: changes.description ?? row.description,
          adminStateUp: changes.admin_state_up ?? row.adminStateUp,
          macAddress: changes.mac_address ?? row.macAddress,
          deviceId: changes.device_id ?? row.deviceId,
          deviceOwner: changes.device_owner ?? row.deviceOwner,
          dnsName: changes.dns_name ?? row.dnsName,
          allowedAddressPairs: chosenPairs(ctx, row, changes),
          extraDhcpOpts: chooseOptions(row.extraDhcpOpts, changes.extra_dhcp_opts),
          portSecurityEnabled: changes.port_security_enabled ?? row.portSecurityEnabled,
          qosPolicyId: changes.qos_policy_id === undefined ? row.qosPolicyId : changes.qos_policy_id,
          revision: sql`revision + 1`,
          updatedAtMs: ctx.clock.nowMs(),
        })
        .where(eq(ports.id, row.id)),
      ...replaceAddresses(ctx, row, input.addresses),
      ...replaceGroups(ctx, row, input.groupIds),
      ...(runnerId === null ? [] : onRunner(ctx, row, runnerId)),
      ...input.routed.statements,
      selectPorts(ctx).where(eq(ports.id, row.id)),
    ],
  }).catch((error: unknown) => {
    const inUse = error instanceof ConstraintFailed && error.constraint.includes('ports.mac_address');
    throw inUse ? macAddressInUse(row.networkId, changes.mac_address ?? '') : error;
  });
  const [updated] = results.at(-1) as PortWithPlace[];
  return updated ?? row;
}

const chosenPairs = (ctx: ActorContext, row: PortWithPlace, changes: PortUpdate['changes']) =>
  choosePairs(ctx, changes.allowed_address_pairs, {
    action: 'update_port',
    networkProjectId: row.networkProjectId,
    macAddress: changes.mac_address ?? row.macAddress,
    portSecurityEnabled: changes.port_security_enabled ?? row.portSecurityEnabled,
    current: row.allowedAddressPairs,
  });

/** Its host, the hosts that know members of its groups, old and new, and those that have it as one. */
function touched(row: PortWithPlace, runnerId: string, groupIds: string[]): SQL {
  const groups = listOf([...new Set([...row.groupIds, ...groupIds])]);
  return sql`(${touchedByPorts(runnerId, groups, sql`${row.networkId}`, sql`${row.id}`)} OR ${runnersWith('group-member', memberIdsOf(sql`${row.id}`))})`;
}

function replaceAddresses(ctx: ActorContext, row: PortWithPlace, addresses: Planned['addresses']): Statement[] {
  if (addresses === row.addresses) return [];
  const values = addresses.map((address, position) => ({ ...address, portId: row.id, position }));
  return [
    ctx.db.delete(ipAllocations).where(eq(ipAllocations.portId, row.id)),
    ...(values.length > 0 ? [ctx.db.insert(ipAllocations).values(values)] : []),
    assertAutoAddressed(ctx, sql`ports.id = ${row.id}`),
    ...loseOldAddresses(ctx, row.id),
  ];
}

function replaceGroups(ctx: ActorContext, row: PortWithPlace, groupIds: string[]): Statement[] {
  if (groupIds === row.groupIds) return [];
  const values = groupIds.map((groupId) => ({ portId: row.id, groupId }));
  return [
    ctx.db.delete(portSecurityGroups).where(eq(portSecurityGroups.portId, row.id)),
    ...(values.length > 0 ? [ctx.db.insert(portSecurityGroups).values(values)] : []),
  ];
}

function onRunner(ctx: ActorContext, row: PortWithPlace, runnerId: string): Statement[] {
  const left = sql`SELECT g.id || ':' || ${row.id} FROM security_groups g WHERE g.id IN (${listOf(row.groupIds)})
    AND g.id NOT IN (SELECT group_id FROM port_security_groups WHERE port_id = ${row.id})`;
  return [
    dropMembers(ctx.db, left),
    ...putPortsOnRunner(ctx, runnerId, sql`${row.id}`),
    ...dropUnneeded(ctx.db, runnerId),
  ];
}
