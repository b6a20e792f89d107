import type { Endpoint, Region, Service } from './catalog.ts';

export const serviceView = (baseUrl: string, { id, type, enabled, extra }: Service) => ({
  ...extra,
  id,
  type,
  enabled,
  links: { self: `${baseUrl}/identity/v3/services/${id}` },
});

export const endpointView = (baseUrl: string, row: Endpoint) => ({
  ...row.extra,
  id: row.id,
  interface: row.interface,
  region_id: row.regionId,
  service_id: row.serviceId,
  url: row.url,
  enabled: row.enabled,
  region: row.regionId,
  links: { self: `${baseUrl}/identity/v3/endpoints/${row.id}` },
});

export const regionView = (baseUrl: string, { id, description, parentRegionId, extra }: Region) => ({
  ...extra,
  id,
  description,
  parent_region_id: parentRegionId,
  links: { self: `${baseUrl}/identity/v3/regions/${id}` },
});

/** Those whose members are what the query says, as far as it names any of them. */
export function matching<View extends object>(
  views: readonly View[],
  query: URLSearchParams,
  members: readonly string[],
): View[] {
  return views.filter((view) =>
    members.every((member) => !query.has(member) || String(view[member as keyof View] ?? '') === query.get(member)),
  );
}
