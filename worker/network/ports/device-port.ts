import type { Context } from '../../http/context.ts';
import { type Random, randomMac } from '../ipam/random.ts';
import type { PortRow } from './port-statements.ts';

/** A port that the cloud makes for a device of its own: a router, a floating IP. It has no groups and no port security. */
export function devicePort(
  ctx: Context,
  of: { projectId: string; networkId: string; deviceId: string; deviceOwner: string; random: Random },
): PortRow {
  const now = ctx.clock.nowMs();
  return {
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: of.projectId,
    networkId: of.networkId,
    name: '',
    description: '',
    macAddress: randomMac(of.random),
    adminStateUp: true,
    status: 'ACTIVE',
    portSecurityEnabled: false,
    deviceId: of.deviceId,
    deviceOwner: of.deviceOwner,
    runnerId: null,
    ownedByServer: false,
    dnsName: '',
    allowedAddressPairs: [],
    extraDhcpOpts: [],
    vnicType: 'normal',
    bindingProfile: {},
    qosPolicyId: null,
    tags: [],
    revision: 1,
    createdAtMs: now,
    updatedAtMs: now,
  };
}
