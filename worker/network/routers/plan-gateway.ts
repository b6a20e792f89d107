import { formatIp, parseIp } from '../../../shared/cidr.ts';
import type { ActorContext } from '../../http/context.ts';
import { networkNotFound } from '../faults.ts';
import { makePicker } from '../ipam/address-picks.ts';
import type { Random } from '../ipam/random.ts';
import { devicePort } from '../ports/device-port.ts';
import { planAddresses, reserveNamed } from '../ports/plan-addresses.ts';
import { readForPorts } from '../ports/port-reads.ts';
import type { NewPort } from '../ports/port-statements.ts';
import type { WantedGateway } from './attributes.ts';
import { badRouter } from './faults.ts';

/** A gateway to be: its addresses, and the subnets of its network. */
export interface GatewayPlan {
  networkId: string;
  addresses: NewPort['addresses'];
  subnets: { id: string; cidr: string }[];
}

/**
 * Where a router's gateway is to be.
 * @param current - addresses on that network that the router's gateway has already
 * @throws ApiError 400 not an external network, or an address that cannot be; 404 no such network; 409 address in use, or none left
 */
export async function planGateway(
  ctx: ActorContext,
  wanted: WantedGateway,
  random: Random,
  current: NewPort['addresses'] = [],
): Promise<GatewayPlan> {
  const { network_id: networkId, external_fixed_ips: fixedIps } = wanted;
  const question = { networkIds: [networkId], wanted: fixedIps ?? [], groupIds: [], projectIds: [], count: 1 };
  const found = await readForPorts(ctx, question, random);
  const network = found.networks.get(networkId);
  if (!network) throw networkNotFound(networkId);
  if (!network.external) throw badRouter(`Network ${networkId} is not an external network`);
  const gateways = found.subnets.flatMap(({ gatewayIp }) => parseIp(gatewayIp ?? '') ?? []).map(formatIp);
  const same = fixedIps?.find(({ ip_address: ip }) => ip !== undefined && gateways.includes(ip));
  if (same) throw badRouter(`External IP ${same.ip_address} is the same as the gateway IP`);
  const picker = makePicker(found.subnets, found.picks, random);
  const wish = fixedIps?.length ? fixedIps : undefined;
  const plan = { networkId, subnets: found.subnets, wanted: wish, current, mac: null, picker };
  reserveNamed(plan, found.taken);
  return { networkId, addresses: planAddresses(plan), subnets: found.subnets };
}

/** The port of a gateway: nobody's, so that no tenant's quota or list has it. */
export const gatewayPort = (ctx: ActorContext, routerId: string, plan: GatewayPlan, random: Random): NewPort => ({
  addresses: plan.addresses,
  groupIds: [],
  row: devicePort(ctx, {
    projectId: '',
    networkId: plan.networkId,
    deviceId: routerId,
    deviceOwner: 'network:router_gateway',
    random,
  }),
});
