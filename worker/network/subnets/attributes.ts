import { ipAddress, routeCidr, subnetCidr } from '../api/addresses.ts';
import { optional, owner, readOnly, required, unset } from '../api/attributes.ts';
import {
  boolean,
  DESCRIPTION_LENGTH_MAX,
  integer,
  integerBetween,
  listOf,
  members,
  NAME_LENGTH_MAX,
  nullOr,
  oneOf,
  onlyNull,
  text,
  uuid,
} from '../api/values.ts';

/** Neutron's own limits of what a subnet tells its guests. */
const DNS_NAMESERVERS_MAX = 5;
const HOST_ROUTES_MAX = 20;
const ALLOCATION_POOLS_MAX = 32;
const PREFIX_LENGTH_MAX = 128;

const pool = (value: unknown) => {
  const range = members(value, ['start', 'end']);
  return { start: ipAddress(range.start), end: ipAddress(range.end) };
};

const route = (value: unknown) => {
  const given = members(value, ['destination', 'nexthop']);
  return { destination: routeCidr(given.destination), nexthop: ipAddress(given.nexthop) };
};

const ipv6Mode = oneOf(['dhcpv6-stateful', 'dhcpv6-stateless', 'slaac'], text(NAME_LENGTH_MAX));

/** The attributes of a subnet, as POST and PUT take them. */
export const subnetAttributes = {
  network_id: required(uuid),
  ip_version: required(oneOf([4, 6], integer)),
  cidr: unset(nullOr(subnetCidr), { put: false }),
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  gateway_ip: unset(nullOr(ipAddress)),
  allocation_pools: unset(
    listOf(pool, { max: ALLOCATION_POOLS_MAX, noneIsEmpty: true, key: (one) => `${one.start}-${one.end}` }),
  ),
  dns_nameservers: unset(listOf(ipAddress, { max: DNS_NAMESERVERS_MAX, noneIsEmpty: true })),
  host_routes: unset(
    listOf(route, { max: HOST_ROUTES_MAX, noneIsEmpty: true, key: (one) => `${one.destination} ${one.nexthop}` }),
  ),
  enable_dhcp: optional(boolean, true),
  subnetpool_id: unset(nullOr(uuid), { put: false }),
  use_default_subnetpool: unset(boolean, { put: false }),
  prefixlen: unset(integerBetween(0, PREFIX_LENGTH_MAX), { put: false }),
  ipv6_ra_mode: unset(nullOr(ipv6Mode), { put: false }),
  ipv6_address_mode: unset(nullOr(ipv6Mode), { put: false }),
  segment_id: unset(onlyNull),
  ...owner,
  id: readOnly,
  service_types: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
