import { createHash } from 'node:crypto';

const INTERFACES = ['public', 'internal', 'admin'] as const;

/** The services of a cloud, under the names that OpenStack's clients look for. `shared`: one for all regions. */
const SERVICES: readonly { type: string; name: string; path: string; shared?: true }[] = [
  { type: 'identity', name: 'keystone', path: '/identity/v3', shared: true },
  { type: 'compute', name: 'nova', path: '/compute/v2.1' },
  { type: 'image', name: 'glance', path: '/image' },
  { type: 'network', name: 'neutron', path: '/networking' },
  { type: 'aerostat', name: 'aerostat', path: '/aerostat/v1' },
];

export interface Endpoint {
  id: string;
  interface: (typeof INTERFACES)[number];
  region_id: string;
  url: string;
  region: string;
}

/** A service with its endpoints, as a token's catalog lists it. */
export interface CatalogEntry {
  endpoints: Endpoint[];
  id: string;
  type: string;
  name: string;
}

/**
 * All services in all regions. Ids are made of names, so they stay the same in every isolate and at every start.
 * @param rootUrl - what clients call us, without a region and without a slash at the end
 * @param regions - the first is the one that needs no region in the path
 */
export function buildCatalog(rootUrl: string, regions: readonly string[]): CatalogEntry[] {
  return SERVICES.map(({ type, name, path, shared }) => ({
    endpoints: regions.flatMap((region, index) =>
      INTERFACES.map((kind) => ({
        id: stableId('endpoint', type, region, kind),
        interface: kind,
        region_id: region,
        url: `${rootUrl}${index === 0 || shared ? '' : `/r/${region}`}${path}`,
        region,
      })),
    ),
    id: stableId('service', type),
    type,
    name,
  }));
}

/** 128 bits of the hash of some names, in hex, as long as Keystone's ids are. */
function stableId(...names: string[]): string {
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 32);
}
