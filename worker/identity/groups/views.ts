import type { groups } from '../../../db/schema/identity.ts';

export type GroupRow = typeof groups.$inferSelect;

/** A group as the API shows it. */
export function groupView(baseUrl: string, row: GroupRow) {
  return {
    ...row.extra,
    id: row.id,
    name: row.name,
    domain_id: row.domainId,
    description: row.description ?? '',
    links: { self: `${baseUrl}/identity/v3/groups/${row.id}` },
  };
}
