import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { ipAddress, macAddress, routeCidr } from '../api/addresses.ts';
import { invalidInput, type Parse, shown } from '../api/values.ts';
import { enforce } from '../policy.ts';

/** Neutron's own default of `max_allowed_address_pair`. */
export const ADDRESS_PAIRS_MAX = 10;
const MEMBERS = ['ip_address', 'mac_address'];

/** Another address, or a range of them, that a port may send from. */
export interface AddressPair {
  ip_address: string;
  mac_address: string;
}
/** As it was sent: without a hardware address it is the port's own. */
export type WantedPair = Pick<AddressPair, 'ip_address'> & Partial<AddressPair>;

const addressPair: Parse<WantedPair> = (value) => {
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw badRequest(`Invalid data format for address pair: '${shown(value)}'.`);
  }
  const { ip_address: ip, mac_address: mac, ...others } = value as Record<string, unknown>;
  if (Object.keys(others).length > 0) {
    throw badRequest(
      `Unrecognized attribute(s) '${shown(Object.keys(others).join(', '))}': only ${MEMBERS.join(', ')}.`,
    );
  }
  if (ip === undefined) throw badRequest('AllowedAddressPair must contain ip_address', 'AllowedAddressPairsMissingIP');
  return {
    ip_address: typeof ip === 'string' && ip.includes('/') ? routeCidr(ip) : ipAddress(ip),
    ...(mac === undefined ? {} : { mac_address: macAddress(mac) }),
  };
};

/** `allowed_address_pairs` as clients send them; null is none. */
export const addressPairs: Parse<WantedPair[]> = (value) => {
  if (value === null) return [];
  if (!Array.isArray(value)) throw badRequest('Allowed address pairs must be a list.');
  if (value.length > ADDRESS_PAIRS_MAX) {
    throw badRequest(
      `The number of allowed address pair exceeds the maximum ${ADDRESS_PAIRS_MAX}.`,
      'AllowedAddressPairExhausted',
    );
  }
  return value.map(addressPair);
};

/**
 * The pairs that a port is to have.
 * @param wanted - undefined: those that it has
 * @throws ApiError 400 one twice; 403 the network is another's; 409 nothing is checked on the port, so that all may pass anyway
 */
export function choosePairs(
  ctx: ActorContext,
  wanted: readonly WantedPair[] | undefined,
  port: {
    action: 'create_port' | 'update_port';
    networkProjectId: string;
    macAddress: string;
    portSecurityEnabled: boolean;
    current: readonly AddressPair[];
  },
): AddressPair[] {
  const pairs = wanted?.map((pair) => ({ mac_address: port.macAddress, ...pair })) ?? [...port.current];
  if (wanted !== undefined) enforce(ctx, `${port.action}:network_owner`, { projectId: port.networkProjectId });
  const keys = pairs.map(({ ip_address: ip, mac_address: mac }) => `mac_address ${mac} ip_address ${ip}`);
  const twice = keys.find((key, index) => keys.indexOf(key) !== index);
  if (twice !== undefined) throw invalidInput(`Request contains duplicate address pair: ${twice}`);
  if (pairs.length > 0 && !port.portSecurityEnabled) {
    throw conflict(
      'Port Security must be enabled in order to have allowed address pairs on a port.',
      'AddressPairAndPortSecurityRequired',
    );
  }
  return pairs;
}
