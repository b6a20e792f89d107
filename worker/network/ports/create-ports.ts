import { inArray } from 'drizzle-orm';
import { ports } from '../../../db/schema/network.ts';
import { ConstraintFailed, commit, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import type { Created } from '../api/attributes.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import { networkNotFound } from '../faults.ts';
import { makePicker, type Picker } from '../ipam/address-picks.ts';
import { follows } from '../ipam/auto-addresses.ts';
import { cryptoRandom, type Random, randomMac } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { usePolicies } from '../qos/choose-policy.ts';
import { assertAccess } from '../rbac/assert-access.ts';
import { choosePairs } from './address-pairs.ts';
import type { portAttributes } from './attributes.ts';
import { chooseGroups, namedGroups } from './choose-groups.ts';
import { chooseOptions } from './dhcp-options.ts';
import { type AddressPlan, planAddresses, reserveNamed } from './plan-addresses.ts';
import { type PortReads, readForPorts } from './port-reads.ts';
import { type PortWithPlace, selectPorts } from './port-rows.ts';
import { insertPorts, type NewPort } from './port-statements.ts';
import { refuseDevice } from './service-ports.ts';

export type NewPortInput = Created<typeof portAttributes> & { projectId: string };

/**
 * Makes ports with their addresses, all or none. Free addresses are picked by chance; a pick that another request was
 * quicker to take is picked again.
 * @returns them in the order asked for
 * @throws ApiError 400 an address or group that cannot be, 403 what only the network's owner may ask, 404 no such network or
 *   group, 409 address or MAC in use, or no address left
 */
export function createPorts(
  ctx: ActorContext,
  inputs: NewPortInput[],
  random: Random = cryptoRandom,
): Promise<PortWithPlace[]> {
  const question = {
    networkIds: [...new Set(inputs.map((input) => input.network_id))],
    wanted: inputs.flatMap((input) => input.fixed_ips ?? []),
    groupIds: [...new Set(inputs.flatMap((input) => input.security_groups ?? []))],
    projectIds: [...new Set(inputs.map((input) => input.projectId))],
    count: inputs.length,
  };
  return whileRacing(async () => {
    const found = await readForPorts(ctx, question, random);
    const picker = makePicker(found.subnets, found.picks, random);
    const macs = inputs.map((input) => input.mac_address ?? randomMac(random));
    const plans = inputs.map((input, at) => addressPlan(ctx, input, found, { picker, mac: macs[at] ?? '' }));
    for (const plan of plans) reserveNamed(plan, found.taken);
    const statements: Statement[] = [];
    const news = inputs.map((input, index) => {
      const plan = plans[index];
      return newPort(ctx, input, found, {
        addresses: plan ? planAddresses(plan) : [],
        mac: macs[index] ?? '',
        statements,
      });
    });
    const access = [
      ...(await usePolicies(
        ctx,
        inputs.map((input) => input.qos_policy_id),
      )),
      ...assertAccess(ctx, 'network', found.networks.values()),
      ...assertAccess(ctx, 'security_group', namedGroups(found, question.groupIds)),
    ];
    return write(ctx, news, [...access, ...statements, ...insertPorts(ctx, news)], inputs);
  });
}

function addressPlan(
  ctx: ActorContext,
  input: NewPortInput,
  found: PortReads,
  of: { picker: Picker; mac: string },
): AddressPlan {
  const network = found.networks.get(input.network_id);
  if (!network) throw networkNotFound(input.network_id);
  refuseDevice({ deviceId: input.device_id, deviceOwner: input.device_owner });
  enforce(ctx, 'create_port', { projectId: input.projectId });
  const special =
    input.mac_address !== undefined ||
    input.port_security_enabled !== undefined ||
    input.device_owner.startsWith('network:') ||
    input.fixed_ips?.some((one) => one.ip_address !== undefined);
  const anyOfAnothers = input.fixed_ips !== undefined && !network.shared;
  if (special || anyOfAnothers) enforce(ctx, 'create_port:network_owner', { projectId: network.projectId });
  const subnets = found.subnets.filter((subnet) => subnet.networkId === network.id);
  const mac = follows(input.device_owner) ? of.mac : null;
  return { networkId: network.id, subnets, wanted: input.fixed_ips, current: [], picker: of.picker, mac };
}

function newPort(
  ctx: ActorContext,
  input: NewPortInput,
  found: PortReads,
  made: { addresses: NewPort['addresses']; mac: string; statements: Statement[] },
): NewPort {
  const network = found.networks.get(input.network_id);
  const now = ctx.clock.nowMs();
  const portSecurityEnabled = input.port_security_enabled ?? network?.portSecurityEnabled ?? true;
  const wish = {
    projectId: input.projectId,
    wanted: input.security_groups,
    deviceOwner: input.device_owner,
    portSecurityEnabled,
  };
  const macAddress = made.mac;
  const networkProjectId = network?.projectId ?? '';
  const pairsOf = { action: 'create_port', networkProjectId, macAddress, portSecurityEnabled, current: [] } as const;
  return {
    addresses: made.addresses,
    groupIds: chooseGroups(ctx, wish, found.groups, made.statements),
    row: {
      id: ctx.ids.uuid(),
      region: ctx.region,
      projectId: input.projectId,
      networkId: input.network_id,
      name: input.name,
      description: input.description,
      macAddress,
      adminStateUp: input.admin_state_up,
      status: 'DOWN',
      portSecurityEnabled,
      deviceId: input.device_id,
      deviceOwner: input.device_owner,
      runnerId: null,
      ownedByServer: false,
      dnsName: input.dns_name,
      allowedAddressPairs: choosePairs(ctx, input.allowed_address_pairs, pairsOf),
      extraDhcpOpts: chooseOptions([], input.extra_dhcp_opts),
      vnicType: 'normal',
      bindingProfile: {},
      qosPolicyId: input.qos_policy_id ?? null,
      tags: input.tags,
      revision: 1,
      createdAtMs: now,
      updatedAtMs: now,
    },
  };
}

async function write(ctx: ActorContext, news: NewPort[], statements: Statement[], inputs: NewPortInput[]) {
  const ids = news.map(({ row }) => row.id);
  const results = await commit(ctx, {
    audit: { action: 'create_port', targetType: 'port', targetId: ids[0] ?? '', detail: { ids } },
    statements: [...statements, selectPorts(ctx).where(inArray(ports.id, ids))],
  }).catch((error: unknown) => {
    throw macInUse(error, inputs) ?? error;
  });
  return inOrder(results.at(-1) as PortWithPlace[], ids);
}

/** A MAC in use is the client's to change where the client named one. */
function macInUse(error: unknown, inputs: NewPortInput[]): Error | undefined {
  const named = inputs.find((input) => input.mac_address !== undefined);
  if (!named || !(error instanceof ConstraintFailed) || !error.constraint.includes('ports.mac_address'))
    return undefined;
  return macAddressInUse(named.network_id, named.mac_address ?? '');
}

export const macAddressInUse = (networkId: string, mac: string) =>
  conflict(
    `Unable to complete operation for network ${networkId}. The mac address ${mac} is in use.`,
    'MacAddressInUse',
  );
