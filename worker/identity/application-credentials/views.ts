import type { accessRules, applicationCredentials } from '../../../db/schema/delegation.ts';
import type { RoleRow } from '../roles/views.ts';

export type AccessRuleRow = typeof accessRules.$inferSelect;

/** An application credential with its roles and rules. */
export interface ApplicationCredential {
  row: typeof applicationCredentials.$inferSelect;
  roles: RoleRow[];
  rules: AccessRuleRow[];
}

const ruleView = ({ id, service, method, path }: AccessRuleRow) => ({ id, path, method, service });

/** @param secret - shown once, when the credential is made */
export function applicationCredentialView(
  baseUrl: string,
  { row, roles, rules }: ApplicationCredential,
  secret?: string,
) {
  return {
    id: row.id,
    name: row.name,
    description: row.description,
    user_id: row.userId,
    project_id: row.projectId,
    system: null,
    expires_at: row.expiresAtMs === null ? null : pythonTime(row.expiresAtMs, row.expiresMicros),
    unrestricted: row.unrestricted,
    roles: roles.map(({ id, name, domainId, description, options }) => ({
      id,
      name,
      domain_id: domainId || null,
      description,
      options,
    })),
    ...(row.accessRuleIds === null ? {} : { access_rules: rules.map(ruleView) }),
    ...(secret === undefined ? {} : { secret }),
    links: { self: `${baseUrl}/identity/v3/users/${row.userId}/application_credentials/${row.id}` },
  };
}

export const accessRuleView = (baseUrl: string, row: AccessRuleRow) => ({
  ...ruleView(row),
  links: { self: `${baseUrl}/identity/v3/users/${row.userId}/access_rules/${row.id}` },
});

/** A moment as Keystone writes this one alone: in UTC, to the microsecond, and without saying so. */
const pythonTime = (ms: number, micros: number): string =>
  `${new Date(ms).toISOString().slice(0, -1)}${String(micros).padStart(3, '0')}`;
