import { inArray, sql } from 'drizzle-orm';
import { floatingIps } from '../../../db/schema/routers.ts';
import { requireAffordable } from '../../billing/admission/admit.ts';
import { offerOf, offerRead } from '../../billing/reports/quote.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { inOrder } from '../api/in-order.ts';
import { whileRacing } from '../api/races.ts';
import type { New } from '../api/resource-routes.ts';
import { placeFloatingIps } from '../edge/floating-ips-on.ts';
import { networkNotFound } from '../faults.ts';
import { makePicker } from '../ipam/address-picks.ts';
import { cryptoRandom, type Random } from '../ipam/random.ts';
import { enforce } from '../policy.ts';
import { devicePort } from '../ports/device-port.ts';
import { type AddressPlan, planAddresses, reserveNamed } from '../ports/plan-addresses.ts';
import { readForPorts } from '../ports/port-reads.ts';
import { insertPorts, listOf } from '../ports/port-statements.ts';
import { usePolicies } from '../qos/choose-policy.ts';
import { assertQuota } from '../quotas/assert-quota.ts';
import { assertExternal } from '../routers/assert-external.ts';
import type { floatingIpAttributes } from './attributes.ts';
import { badFloatingIp } from './faults.ts';
import { type FloatingIpRow, selectFloatingIps } from './floating-ip-rows.ts';
import { NO_ASSOCIATION, planAssociation } from './plan-association.ts';

type Input = New<typeof floatingIpAttributes>;

/**
 * Makes floating IPs, all or none, and leads them to ports.
 * @returns them in the order asked for
 * @throws ApiError 400 not an external network, 403 a certain address asked for by other than an admin, 404 no such network, 409
 *   address in use, or none left, and as `planAssociation`
 */
export function createFloatingIps(
  ctx: ActorContext,
  inputs: Input[],
  random: Random = cryptoRandom,
): Promise<FloatingIpRow[]> {
  for (const input of inputs) {
    enforce(ctx, 'create_floatingip', { projectId: input.projectId });
    if (input.floating_ip_address) enforce(ctx, 'create_floatingip:floating_ip_address');
  }
  return whileRacing(async () => {
    const { plans, offer } = await planAll(ctx, inputs, random);
    const ids = plans.map(({ row }) => row.id);
    const portIds = listOf(plans.flatMap(({ row }) => row.portId ?? []));
    const results = await commit(ctx, {
      audit: { action: 'create_floatingip', targetType: 'floatingip', targetId: ids[0] ?? '', detail: { ids } },
      touches: sql`runners.id IN (SELECT p.runner_id FROM ports p WHERE p.id IN (${portIds}))`,
      statements: [
        ...assertExternal(
          ctx,
          inputs.map((input) => input.floating_network_id),
        ),
        ...plans.flatMap(({ statements }) => statements),
        ...(await usePolicies(
          ctx,
          inputs.map((input) => input.qos_policy_id),
        )),
        ...insertPorts(
          ctx,
          plans.map(({ port }) => port),
        ),
        ...plans.flatMap(({ row }) => requireAffordable(ctx, offer, row)),
        ctx.db.insert(floatingIps).values(plans.map(({ row }) => row)),
        ...assertQuota(
          ctx,
          'floatingip',
          inputs.map(({ projectId }) => projectId),
        ),
        ...placeFloatingIps(ctx.db, listOf(ids)),
        selectFloatingIps(ctx).where(inArray(floatingIps.id, ids)),
      ],
    });
    return inOrder(results.at(-1) as FloatingIpRow[], ids);
  });
}

async function planAll(ctx: ActorContext, inputs: Input[], random: Random) {
  const question = {
    networkIds: [...new Set(inputs.map((input) => input.floating_network_id))],
    wanted: inputs.flatMap(({ floating_ip_address: ip }) => (ip ? [{ ip_address: ip }] : [])),
    groupIds: [],
    projectIds: [],
    count: inputs.length,
    also: [offerRead(ctx, 'floating_ip', 'default')],
  };
  const found = await readForPorts(ctx, question, random);
  const picker = makePicker(found.subnets, found.picks, random);
  const plans: AddressPlan[] = inputs.map((input) => {
    const networkId = input.floating_network_id;
    const network = found.networks.get(networkId);
    if (!network) throw networkNotFound(networkId);
    if (!network.external) throw badFloatingIp(`Network ${networkId} is not a valid external network`);
    const subnets = found.subnets.filter((subnet) => subnet.networkId === networkId && subnet.ipVersion === 4);
    if (subnets.length === 0) throw badFloatingIp(`Network ${networkId} does not contain any IPv4 subnet`);
    return { networkId, subnets, wanted: wantedAddress(input), current: [], mac: null, picker };
  });
  for (const plan of plans) reserveNamed(plan, found.taken);
  const offer = offerOf(found.also[0] as Record<string, unknown>[]);
  const planned = inputs.map(async (input, at) => {
    const [address] = planAddresses(plans[at] as AddressPlan);
    const id = ctx.ids.uuid();
    const floatingNetworkId = input.floating_network_id;
    const port = devicePort(ctx, {
      projectId: '',
      networkId: floatingNetworkId,
      deviceId: id,
      deviceOwner: 'network:floatingip',
      random,
    });
    const floatingIpAddress = address?.ipAddress ?? '';
    const fip = { id, projectId: input.projectId, floatingNetworkId, floatingIpAddress };
    if (input.fixed_ip_address && !input.port_id) {
      throw badFloatingIp('fixed_ip_address cannot be specified without a port_id');
    }
    const { statements, ...association } = input.port_id
      ? await planAssociation(ctx, fip, { portId: input.port_id, fixedIp: input.fixed_ip_address })
      : NO_ASSOCIATION;
    return {
      statements,
      port: { row: port, addresses: address ? [address] : [], groupIds: [] },
      row: {
        ...fip,
        ...association,
        region: ctx.region,
        description: input.description,
        floatingPortId: port.id,
        dnsName: input.dns_name,
        dnsDomain: input.dns_domain,
        qosPolicyId: input.qos_policy_id ?? null,
        createdAtMs: port.createdAtMs,
        updatedAtMs: port.updatedAtMs,
      },
    };
  });
  return { offer, plans: await Promise.all(planned) };
}

/** One address, of a subnet or a certain one. */
function wantedAddress({ floating_ip_address: ip, subnet_id: subnet }: Input): AddressPlan['wanted'] {
  if (!ip && !subnet) return undefined;
  return [{ ...(subnet ? { subnet_id: subnet } : {}), ...(ip ? { ip_address: ip } : {}) }];
}
