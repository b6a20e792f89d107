import { isoSeconds } from '../views.ts';
import type { NamespacePage } from './list-namespaces.ts';
import type { ResourceType } from './resource-types.ts';
import type { ItemRow, NamespaceRow } from './rows.ts';

const NAMESPACES = '/v2/metadefs/namespaces';

/** Glance leaves out what is not set. */
const present = (members: Record<string, unknown>) =>
  Object.fromEntries(Object.entries(members).filter(([, value]) => value !== null));

const times = (row: { createdAtMs: number; updatedAtMs: number }) => ({
  created_at: isoSeconds(row.createdAtMs),
  updated_at: isoSeconds(row.updatedAtMs),
});

/** A namespace without what it holds. */
export const namespaceView = (row: NamespaceRow) => ({
  ...present({
    namespace: row.name,
    display_name: row.displayName,
    description: row.description,
    owner: row.projectId,
  }),
  visibility: row.visibility,
  protected: row.protected,
  ...times(row),
  self: `${NAMESPACES}/${row.name}`,
  schema: '/v2/schemas/metadefs/namespace',
});

export const associationView = (row: ItemRow) => ({ name: row.name, ...row.body, ...times(row) });
export const resourceTypeView = ({ name, createdAtMs, updatedAtMs }: ResourceType) => ({
  name,
  ...(createdAtMs === null || updatedAtMs === null ? {} : times({ createdAtMs, updatedAtMs })),
});
export const objectView = (namespace: string, row: ItemRow) => ({
  required: [],
  properties: {},
  ...row.body,
  name: row.name,
  ...times(row),
  self: `${NAMESPACES}/${namespace}/objects/${row.name}`,
  schema: '/v2/schemas/metadefs/object',
});
export const propertyView = (row: ItemRow) => ({ ...row.body, name: row.name });
export const tagView = (row: ItemRow) => ({ name: row.name, ...times(row) });

/**
 * A namespace with all that it holds.
 * @param resourceType - names of properties get the prefix that they have on resources of this type
 */
export function wholeNamespaceView(
  { namespace, items }: { namespace: NamespaceRow; items: ItemRow[] },
  resourceType: string | undefined,
) {
  const of = (kind: ItemRow['kind']) => items.filter((item) => item.kind === kind);
  const association = of('resource_type').find((item) => item.name === resourceType);
  const prefix = String(association?.body.prefix ?? '');
  const prefixed = (all: [string, unknown][]) => Object.fromEntries(all.map(([name, body]) => [prefix + name, body]));
  const objects = of('object').map((item) => {
    const view: Record<string, unknown> = objectView(namespace.name, item);
    return {
      ...view,
      properties: prefixed(Object.entries(view.properties as object)),
      required: (view.required as string[]).map((name) => prefix + name),
    };
  });
  const parts = {
    resource_type_associations: of('resource_type').map(associationView),
    properties: prefixed(of('property').map((item) => [item.name, item.body])),
    objects,
    tags: of('tag').map(({ name }) => ({ name })),
  };
  const held = Object.entries(parts).filter(([, part]) => Object.keys(part).length > 0);
  return { ...namespaceView(namespace), ...Object.fromEntries(held) };
}

/** @param query - what the client asked; the links repeat it */
export function namespacesView({ rows, resourceTypes, nextMarker }: NamespacePage, query: URLSearchParams) {
  const first = new URLSearchParams(query);
  first.delete('marker');
  const next = new URLSearchParams(first);
  if (nextMarker) next.set('marker', nextMarker);
  return {
    namespaces: rows.map((row) => {
      const types = resourceTypes.get(row.id);
      return {
        ...namespaceView(row),
        ...(types ? { resource_type_associations: types.map(associationView) } : {}),
      };
    }),
    first: first.size > 0 ? `${NAMESPACES}?${first}` : NAMESPACES,
    schema: '/v2/schemas/metadefs/namespaces',
    ...(nextMarker ? { next: `${NAMESPACES}?${next}` } : {}),
  };
}
