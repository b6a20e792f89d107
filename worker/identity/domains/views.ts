import type { domains } from '../../../db/schema/identity.ts';

export type DomainRow = typeof domains.$inferSelect;

/** A domain as the API shows it. */
export function domainView(baseUrl: string, row: DomainRow) {
  return {
    ...row.extra,
    id: row.id,
    name: row.name,
    description: row.description,
    enabled: row.enabled,
    tags: row.tags,
    options: row.options,
    links: { self: `${baseUrl}/identity/v3/domains/${row.id}` },
  };
}

/** A domain as it appears among the projects, which in Keystone it is one of. */
export function domainAsProjectView(baseUrl: string, row: DomainRow) {
  return {
    ...domainView(baseUrl, row),
    domain_id: null,
    parent_id: null,
    is_domain: true,
    links: { self: `${baseUrl}/identity/v3/projects/${row.id}` },
  };
}
