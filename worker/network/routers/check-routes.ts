import { contains, parseIp } from '../../../shared/cidr.ts';
import { badRequest } from '../../http/errors.ts';
import { parsed } from '../subnets/plan-subnet.ts';
import { ROUTES_MAX, type Route, routeKey } from './attributes.ts';
import type { RouterPort } from './router-rows.ts';

/**
 * Each next hop that is new is on a subnet of the router, and is not the router itself.
 * @throws ApiError 400, in Neutron's words
 */
export function checkRoutes(
  routerId: string,
  { ports, routes, before }: { ports: RouterPort[]; routes: Route[]; before: Route[] },
): void {
  if (routes.length > ROUTES_MAX) {
    throw badRequest(
      `Unable to complete operation for ${routerId}. The number of routes exceeds the maximum ${ROUTES_MAX}.`,
      'RoutesExhausted',
    );
  }
  const known = new Set(before.map(routeKey));
  const addresses = ports.flatMap((port) => port.addresses);
  for (const route of routes) {
    if (known.has(routeKey(route))) continue;
    if (!addresses.some(({ cidr }) => isIn(cidr, route.nexthop))) {
      throw invalidRoutes(route, 'the nexthop is not connected with router');
    }
    if (addresses.some(({ ipAddress }) => ipAddress === route.nexthop)) {
      throw invalidRoutes(route, 'the nexthop is used by router');
    }
  }
}

/** Whether an address is in a range. */
export function isIn(cidr: string, address: string): boolean {
  const ip = parseIp(address);
  return ip !== null && contains(parsed(cidr), ip);
}

const invalidRoutes = (route: Route, reason: string) =>
  badRequest(
    `Invalid format for routes: [{'destination': '${route.destination}', 'nexthop': '${route.nexthop}'}], ${reason}`,
    'InvalidRoutes',
  );
