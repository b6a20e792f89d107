import type { revocations } from '../../../db/schema/identity.ts';
import type { Token } from './token.ts';

export type RevocationKind = (typeof revocations.$inferSelect)['kind'];

/** What ends tokens early: one by its audit id, or all of a user, of a project, of a domain, with a role, of a user on a scope, of log-ins elsewhere, or by what was passed on. */
export interface Revocation {
  kind: RevocationKind;
  /** The id; for an assignment `<user>/<target type>/<target>`, for a federation `<identity provider>[/<protocol>]`. */
  subject: string;
}

/** A revocation as it is stored. */
export interface StoredRevocation extends Revocation {
  seq: number;
  expiresAtMs: number;
}

/** How a revocation of a user's tokens on one scope is named. */
export function assignmentSubject(
  userId: string,
  targetType: 'project' | 'domain' | 'system',
  targetId: string,
): string {
  return `${userId}/${targetType}/${targetId}`;
}

/** Every revocation that would end this token. */
export function revocationsOf(token: Token): Revocation[] {
  const { user, scope, federation, delegation } = token;
  const found: Revocation[] = [
    { kind: 'audit', subject: token.auditIds[0] },
    { kind: 'user', subject: user.id },
    { kind: 'domain', subject: user.domain.id },
    ...token.roles.map(({ id }) => ({ kind: 'role' as const, subject: id })),
  ];
  if (federation) {
    const { idpId, protocolId } = federation;
    for (const subject of [idpId, `${idpId}/${protocolId}`]) found.push({ kind: 'federation', subject });
  }
  if (delegation) found.push({ kind: delegation.type, subject: delegation.id });
  const others = delegation?.type === 'trust' ? [delegation.trustorId, delegation.trusteeId, delegation.grantorId] : [];
  const holders = [...new Set([user.id, ...others])];
  for (const id of holders) if (id !== user.id) found.push({ kind: 'user', subject: id });
  const assignment = (type: 'project' | 'domain' | 'system', id: string) => {
    for (const holder of holders) found.push({ kind: 'assignment', subject: assignmentSubject(holder, type, id) });
  };
  if (scope.type === 'project') {
    const { id, domain } = scope.project;
    found.push({ kind: 'project', subject: id }, { kind: 'domain', subject: domain.id });
    assignment('project', id);
  } else if (scope.type === 'domain') {
    found.push({ kind: 'domain', subject: scope.domain.id });
    assignment('domain', scope.domain.id);
  } else if (scope.type === 'system') {
    assignment('system', 'all');
  }
  return found;
}

/** One text a revocation: what a list is searched by. */
export const revocationKey = ({ kind, subject }: Revocation): string => `${kind}:${subject}`;
