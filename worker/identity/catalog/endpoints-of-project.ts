import type { Endpoint } from './catalog.ts';
import type { CatalogRows } from './rows.ts';

type Filtering = Pick<CatalogRows, 'groups' | 'projectGroups' | 'projectEndpoints'>;

/** Whether a project was given endpoints, so that it sees no others. */
export const isFiltered = ({ projectGroups, projectEndpoints }: Filtering, projectId: string): boolean =>
  projectGroups.some((one) => one.projectId === projectId) ||
  projectEndpoints.some((one) => one.projectId === projectId);

/** The endpoints of which a group is made: all filters must fit. */
export const endpointsOfGroup = (filters: Record<string, string>, endpoints: readonly Endpoint[]): Endpoint[] =>
  endpoints.filter(({ serviceId, regionId, interface: kind }) =>
    Object.entries(filters).every(
      ([name, value]) => ({ service_id: serviceId, region_id: regionId, interface: kind })[name] === value,
    ),
  );

/** The endpoints that a project was given, by themselves or in groups. */
export function endpointsOfProject(rows: Filtering, endpoints: readonly Endpoint[], projectId: string): Endpoint[] {
  const groupIds = rows.projectGroups.filter((one) => one.projectId === projectId).map((one) => one.endpointGroupId);
  const given = new Set(
    rows.projectEndpoints.filter((one) => one.projectId === projectId).map((one) => one.endpointId),
  );
  for (const { id, filters } of rows.groups) {
    if (groupIds.includes(id)) for (const endpoint of endpointsOfGroup(filters, endpoints)) given.add(endpoint.id);
  }
  return endpoints.filter(({ id }) => given.has(id));
}
