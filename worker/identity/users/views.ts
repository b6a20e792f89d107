import type { users } from '../../../db/schema/identity.ts';

export type UserRow = typeof users.$inferSelect;

/** A user as the API shows it; what was never set is left out. */
export function userView(baseUrl: string, row: UserRow) {
  return {
    ...row.extra,
    ...(row.email === null ? {} : { email: row.email }),
    ...(row.description === null ? {} : { description: row.description }),
    id: row.id,
    name: row.name,
    domain_id: row.domainId,
    enabled: row.enabled,
    ...(row.defaultProjectId === null ? {} : { default_project_id: row.defaultProjectId }),
    password_expires_at: null,
    options: row.options,
    links: { self: `${baseUrl}/identity/v3/users/${row.id}` },
  };
}
