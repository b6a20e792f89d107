import type { users } from '../../../db/schema/identity.ts';
import { type Link, linksView } from '../federation/links.ts';

export type UserRow = typeof users.$inferSelect;

/** When a password stops being taken, as Keystone writes it. */
export const passwordExpiry = (ms: number | null): string | null =>
  ms === null ? null : `${new Date(ms).toISOString().slice(0, -1)}000`;

/** A user as the API shows it; what was never set is left out. */
export function userView(baseUrl: string, row: UserRow, links: readonly Link[] = []) {
  return {
    ...row.extra,
    ...(row.email === null ? {} : { email: row.email }),
    ...(row.description === null ? {} : { description: row.description }),
    id: row.id,
    name: row.name,
    domain_id: row.domainId,
    enabled: row.enabled,
    ...(row.defaultProjectId === null ? {} : { default_project_id: row.defaultProjectId }),
    password_expires_at: passwordExpiry(row.passwordExpiresAtMs),
    options: row.options,
    ...linksView(links),
    links: { self: `${baseUrl}/identity/v3/users/${row.id}` },
  };
}
