import type { projects } from '../../../db/schema/identity.ts';

export type ProjectRow = typeof projects.$inferSelect;

/** A project as the API shows it. Right under its domain its parent is the domain. */
export function projectView(baseUrl: string, row: ProjectRow) {
  return {
    ...row.extra,
    id: row.id,
    name: row.name,
    domain_id: row.domainId,
    description: row.description,
    enabled: row.enabled,
    parent_id: row.parentId ?? row.domainId,
    is_domain: false,
    tags: row.tags,
    options: row.options,
    links: { self: `${baseUrl}/identity/v3/projects/${row.id}` },
  };
}
