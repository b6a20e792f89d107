import type { Token } from './token.ts';

/** A moment as Keystone writes it: `2026-11-23T15:27:31.123000Z`. */
export const keystoneTime = (ms: number): string => new Date(ms).toISOString().replace('Z', '000Z');

/** The members of `token` in an answer, as JSON without the closing braces, so that a catalog can follow. */
export function renderTokenStart({ user, scope, roles, methods, auditIds, issuedAtMs, expiresAtMs }: Token): string {
  const token = {
    methods,
    user: { domain: user.domain, id: user.id, name: user.name, password_expires_at: null },
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
  };
  return JSON.stringify({ token }).slice(0, -2);
}

/** The whole answer. Only a token with a scope comes with a catalog. */
export function renderToken(start: string, token: Token, catalogJson: string | undefined): string {
  const catalog = catalogJson === undefined || token.scope.type === 'unscoped' ? '' : `,"catalog":${catalogJson}`;
  return `${start}${catalog}}}`;
}
