import type { CatalogEntry } from './catalog.ts';

/** Services as the API shows them one by one. */
export function serviceViews(baseUrl: string, catalog: readonly CatalogEntry[]) {
  return catalog.map(({ id, name, type }) => ({
    name,
    id,
    type,
    enabled: true,
    links: { self: `${baseUrl}/identity/v3/services/${id}` },
  }));
}

/** Endpoints as the API shows them one by one. */
export function endpointViews(baseUrl: string, catalog: readonly CatalogEntry[]) {
  return catalog.flatMap((service) =>
    service.endpoints.map(({ id, url, region, region_id, interface: kind }) => ({
      id,
      interface: kind,
      region_id,
      service_id: service.id,
      url,
      enabled: true,
      region,
      links: { self: `${baseUrl}/identity/v3/endpoints/${id}` },
    })),
  );
}

export function regionView(baseUrl: string, id: string) {
  return {
    id,
    description: '',
    parent_region_id: null,
    links: { self: `${baseUrl}/identity/v3/regions/${id}` },
  };
}

/** Those whose members are what the query says, as far as it names any of them. */
export function matching<View extends object>(
  views: readonly View[],
  query: URLSearchParams,
  members: readonly (keyof View & string)[],
): View[] {
  return views.filter((view) =>
    members.every((member) => !query.has(member) || String(view[member] ?? '') === query.get(member)),
  );
}
