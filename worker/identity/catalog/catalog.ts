import { createHash } from 'node:crypto';
import type { catalogEndpoints, catalogRegions, catalogServices } from '../../../db/schema/catalog.ts';

export const INTERFACES = ['public', 'internal', 'admin'] as const;

/** What is in the catalog, whether the cloud brings it or an operator added it. */
export type Service = typeof catalogServices.$inferSelect;
export type Endpoint = typeof catalogEndpoints.$inferSelect;
export type Region = typeof catalogRegions.$inferSelect;

/** The services of a cloud, under the names that OpenStack's clients look for. `shared`: one for all regions. */
const SERVICES: readonly { type: string; name: string; path: string; shared?: true }[] = [
  { type: 'identity', name: 'keystone', path: '/identity/v3', shared: true },
  { type: 'compute', name: 'nova', path: '/compute/v2.1' },
  { type: 'image', name: 'glance', path: '/image' },
  { type: 'network', name: 'neutron', path: '/networking' },
  { type: 'metric', name: 'gnocchi', path: '/metric' },
  { type: 'rating', name: 'cloudkitty', path: '/rating' },
  { type: 'aerostat', name: 'aerostat', path: '/aerostat/v1' },
];

/** The services that the cloud itself is. Ids are made of names, so they are the same in every isolate and at every start. */
export const ownServices: readonly Service[] = SERVICES.map(({ type, name }) => ({
  id: stableId('service', type),
  type,
  enabled: true,
  extra: { name },
}));

/**
 * Where those are found in all regions.
 * @param rootUrl - what clients call us, without a region and without a slash at the end
 * @param regions - the first is the one that needs no region in the path
 */
export function ownEndpoints(rootUrl: string, regions: readonly string[]): Endpoint[] {
  return SERVICES.flatMap(({ type, path, shared }) =>
    regions.flatMap((regionId, index) =>
      INTERFACES.map((kind) => ({
        id: stableId('endpoint', type, regionId, kind),
        serviceId: stableId('service', type),
        interface: kind,
        regionId,
        url: `${rootUrl}${index === 0 || shared ? '' : `/r/${regionId}`}${path}`,
        enabled: true,
        extra: {},
      })),
    ),
  );
}

export const ownRegion = (id: string): Region => ({ id, description: '', parentRegionId: null, extra: {} });

/** A service with its endpoints, as a token's catalog lists it. */
export interface CatalogEntry {
  endpoints: {
    id: string;
    interface: string;
    region_id: string | null;
    url: string;
    region: string | null;
  }[];
  id: string;
  type: string;
  name: string;
}

/** All that is enabled, as a token's catalog lists it. */
export function buildCatalog(services: readonly Service[], endpoints: readonly Endpoint[]): CatalogEntry[] {
  return services
    .filter(({ enabled }) => enabled)
    .map(({ id, type, extra }) => ({
      endpoints: endpoints
        .filter((endpoint) => endpoint.serviceId === id && endpoint.enabled)
        .map((endpoint) => ({
          id: endpoint.id,
          interface: endpoint.interface,
          region_id: endpoint.regionId,
          url: endpoint.url,
          region: endpoint.regionId,
        })),
      id,
      type,
      name: typeof extra.name === 'string' ? extra.name : '',
    }));
}

/** 128 bits of the hash of some names, in hex, as long as Keystone's ids are. */
function stableId(...names: string[]): string {
  return createHash('sha256').update(names.join('\n')).digest('hex').slice(0, 32);
}
