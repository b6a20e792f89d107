import { passwordExpiry } from '../users/views.ts';
import { delegationView } from './delegation.ts';
import type { Federation, Token } from './token.ts';

/** A moment as Keystone writes it: `2026-11-23T15:27:31.123000Z`. */
export const keystoneTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

/** The members of `token` in an answer, as JSON without the closing braces, so that a catalog can follow. */
export function renderTokenStart(of: Token): string {
  const { user, scope, roles, methods, auditIds, issuedAtMs, expiresAtMs } = of;
  const token = {
    methods,
    user: {
      domain: user.domain,
      id: user.id,
      name: user.name,
      ...(of.federation
        ? { 'OS-FEDERATION': federationView(of.federation) }
        : { password_expires_at: passwordExpiry(of.passwordExpiresAtMs ?? null) }),
    },
    audit_ids: auditIds,
    expires_at: keystoneTime(expiresAtMs),
    issued_at: keystoneTime(issuedAtMs),
    ...(scope.type === 'project'
      ? {
          project: { domain: scope.project.domain, id: scope.project.id, name: scope.project.name },
          is_domain: false,
        }
      : {}),
    ...(scope.type === 'domain' ? { domain: scope.domain } : {}),
    ...(scope.type === 'unscoped' ? {} : { roles }),
    ...(scope.type === 'system' ? { system: { all: true } } : {}),
    ...(of.delegation ? delegationView(of.delegation) : {}),
  };
  return JSON.stringify({ token }).slice(0, -2);
}

const federationView = ({ idpId, protocolId, groupIds }: Federation) => ({
  groups: groupIds.map((id) => ({ id })),
  identity_provider: { id: idpId },
  protocol: { id: protocolId },
});

/** The whole answer. Only a token with a scope comes with a catalog. */
export function renderToken(start: string, token: Token, catalogJson: string | undefined): string {
  const catalog = catalogJson === undefined || token.scope.type === 'unscoped' ? '' : `,"catalog":${catalogJson}`;
  return `${start}${catalog}}}`;
}
