import { ipAddress, routeCidr } from '../api/addresses.ts';
import { optional, owner, readOnly, unset } from '../api/attributes.ts';
import {
  boolean,
  DESCRIPTION_LENGTH_MAX,
  listOf,
  members,
  NAME_LENGTH_MAX,
  type Parse,
  text,
  uuid,
} from '../api/values.ts';
import { fixedIps, type WantedAddress } from '../ports/attributes.ts';

/** Neutron's own limit of the routes that a router is given. */
export const ROUTES_MAX = 30;
/** Routes that one request may name, whatever it does with them. */
const ROUTES_SENT_MAX = 100;
const ZONE_HINTS_MAX = 16;

export interface Route {
  destination: string;
  nexthop: string;
}

/** A gateway as a client wants it. */
export interface WantedGateway {
  network_id: string;
  enable_snat?: boolean;
  external_fixed_ips?: WantedAddress[];
}

const gateway: Parse<WantedGateway | null> = (value) => {
  if (value === null) return null;
  if (typeof value === 'object' && Object.keys(value as object).length === 0) return null;
  const given = members(value, ['network_id'], ['enable_snat', 'external_fixed_ips']);
  const addresses = given.external_fixed_ips;
  return {
    network_id: uuid(given.network_id),
    ...(given.enable_snat === undefined ? {} : { enable_snat: boolean(given.enable_snat) }),
    ...(addresses === undefined || addresses === null ? {} : { external_fixed_ips: fixedIps(addresses) }),
  };
};

const route: Parse<Route> = (value) => {
  const given = members(value, ['destination', 'nexthop']);
  return { destination: routeCidr(given.destination), nexthop: ipAddress(given.nexthop) };
};

export const routeKey = (one: Route) => `${one.destination} ${one.nexthop}`;

/** Extra routes, each once; null is none. */
export const routeList = listOf(route, { max: ROUTES_SENT_MAX, noneIsEmpty: true, key: routeKey });

/** The attributes of a router, as POST and PUT take them. */
export const routerAttributes = {
  name: optional(text(NAME_LENGTH_MAX), ''),
  description: optional(text(DESCRIPTION_LENGTH_MAX), ''),
  admin_state_up: optional(boolean, true),
  external_gateway_info: unset(gateway),
  routes: { ...unset(routeList), post: false },
  distributed: unset(boolean),
  ha: unset(boolean),
  availability_zone_hints: optional(
    listOf(text(NAME_LENGTH_MAX), { max: ZONE_HINTS_MAX, noneIsEmpty: true }),
    [] as string[],
    { put: false },
  ),
  ...owner,
  id: readOnly,
  status: readOnly,
  availability_zones: readOnly,
  tags: readOnly,
  created_at: readOnly,
  updated_at: readOnly,
  revision_number: readOnly,
} as const;
