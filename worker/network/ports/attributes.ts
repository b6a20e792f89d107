import { ipAddress, macAddress } from '../api/addresses.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import {
  BadValue,
  boolean,
  DESCRIPTION_LENGTH_MAX,
  invalidInput,
  listOf,
  members,
  NAME_LENGTH_MAX,
  nullOr,
  only,
  type Parse,
  shown,
  text,
  uuid,
} from '../api/values.ts';
import { tagList } from '../tags/tag-values.ts';
import { addressPairs } from './address-pairs.ts';
import { dhcpOptions } from './dhcp-options.ts';

/** What one port may have; the runner's specs have the same bounds. */
const FIXED_IPS_MAX = 16;
const SECURITY_GROUPS_MAX = 64;
const DEVICE_ID_LENGTH_MAX = 255;

/** An address that a client wants: any of a subnet, or a certain one. */
export interface WantedAddress {
  subnet_id?: string;
  ip_address?: string;
}

const fixedIp: Parse<WantedAddress> = (value) => {
  const given = members(value, [], ['subnet_id', 'ip_address']);
  if (given.subnet_id === undefined && given.ip_address === undefined) {
    throw invalidInput('IP allocation requires subnet_id or ip_address');
  }
  return {
    ...(given.subnet_id === undefined ? {} : { subnet_id: uuid(given.subnet_id) }),
    ...(given.ip_address === undefined ? {} : { ip_address: ipAddress(given.ip_address) }),
  };
};

export const fixedIps: Parse<WantedAddress[]> = (value) => {
  if (!Array.isArray(value)) throw new BadValue(`Invalid data format for fixed IP: '${shown(value)}'`);
  if (value.length > FIXED_IPS_MAX) throw invalidInput('Exceeded maximum amount of fixed ips per port');
  const wanted = value.map(fixedIp);
  const addresses = wanted.flatMap((one) => one.ip_address ?? []);
  const twice = addresses.find((address, index) => addresses.indexOf(address) !== index);
  if (twice !== undefined) throw new BadValue(`Duplicate IP address '${twice}'`);
  return wanted;
};

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/i;

export const dnsName: Parse<string> = (value) => {
  const name = text(63)(value);
  if (name !== '' && !LABEL.test(name)) throw new BadValue(`'${shown(value)}' not a valid PQDN or FQDN`);
  return name.toLowerCase();
};

/** The attributes of a port, as POST and PUT take them. */
export const portAttributes = {
  network_id: required(uuid),
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  admin_state_up: optional(boolean, true),
  mac_address: unset(macAddress),
  fixed_ips: unset(fixedIps),
  device_id: optional(text(DEVICE_ID_LENGTH_MAX), ''),
  device_owner: optional(text(DEVICE_ID_LENGTH_MAX), ''),
  security_groups: unset(listOf(uuid, { max: SECURITY_GROUPS_MAX, noneIsEmpty: true })),
  port_security_enabled: unset(boolean),
  qos_policy_id: unset(nullOr(uuid)),
  dns_name: optional(dnsName, ''),
  tags: optional(tagList, [], { put: false }),
  'binding:vnic_type': unset(only('normal')),
  allowed_address_pairs: unset(addressPairs),
  extra_dhcp_opts: unset(dhcpOptions),
  ...owner,
  id: readOnly,
  status: readOnly,
  dns_assignment: readOnly,
  'binding:host_id': readOnly,
  'binding:profile': readOnly,
  'binding:vif_type': readOnly,
  'binding:vif_details': readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
