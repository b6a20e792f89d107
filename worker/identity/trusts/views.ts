import type { trusts } from '../../../db/schema/delegation.ts';
import { type RoleRow, roleView } from '../roles/views.ts';
import { keystoneTime } from '../tokens/render-token.ts';

export type TrustRow = typeof trusts.$inferSelect;

/** A trust as a list shows it, without its roles. */
export const trustSummary = (baseUrl: string, row: TrustRow) => ({
  ...row.extra,
  id: row.id,
  trustor_user_id: row.trustorUserId,
  trustee_user_id: row.trusteeUserId,
  project_id: row.projectId,
  impersonation: row.impersonation,
  expires_at: row.expiresAtMs === null ? null : keystoneTime(row.expiresAtMs),
  remaining_uses: row.remainingUses,
  redelegated_trust_id: row.redelegatedTrustId,
  redelegation_count: row.redelegationCount,
  deleted_at: null,
  links: { self: `${baseUrl}/identity/v3/OS-TRUST/trusts/${row.id}` },
});

const rolesLinks = (baseUrl: string, { id }: TrustRow) => ({
  self: `${baseUrl}/identity/v3/OS-TRUST/trusts/${id}/roles`,
  next: null,
  previous: null,
});

export const trustView = (baseUrl: string, { row, roles }: { row: TrustRow; roles: readonly RoleRow[] }) => ({
  ...trustSummary(baseUrl, row),
  ...trustRolesView(baseUrl, { row, roles }, 'roles_links'),
});

/** @param linksName - what the links are called, which differs with what they stand beside */
export const trustRolesView = (
  baseUrl: string,
  { row, roles }: { row: TrustRow; roles: readonly RoleRow[] },
  linksName: 'links' | 'roles_links',
) => ({ roles: roles.map((role) => roleView(baseUrl, role)), [linksName]: rolesLinks(baseUrl, row) });
