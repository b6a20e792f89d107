import type { roles } from '../../../db/schema/identity.ts';

export type RoleRow = typeof roles.$inferSelect;

export const roleUrl = (baseUrl: string, id: string): string => `${baseUrl}/identity/v3/roles/${id}`;

/** A role as the API shows it. */
export function roleView(baseUrl: string, row: RoleRow) {
  return {
    ...row.extra,
    id: row.id,
    name: row.name,
    domain_id: row.domainId || null,
    description: row.description,
    options: row.options,
    links: { self: roleUrl(baseUrl, row.id) },
  };
}

const inferenceView = (baseUrl: string, { id, name }: RoleRow) => ({
  id,
  links: { self: roleUrl(baseUrl, id) },
  name,
});

/** A role and those that it implies directly. */
export function roleInferenceView(baseUrl: string, prior: RoleRow, implied: readonly RoleRow[]) {
  return {
    prior_role: inferenceView(baseUrl, prior),
    implies: implied.map((role) => inferenceView(baseUrl, role)),
  };
}

/** A role and one that it implies. */
export function impliedRoleView(baseUrl: string, prior: RoleRow, implied: RoleRow) {
  return { prior_role: inferenceView(baseUrl, prior), implies: inferenceView(baseUrl, implied) };
}
