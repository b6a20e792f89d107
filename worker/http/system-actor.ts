import type { Context, ProjectContext } from './context.ts';

/** Who acts where nobody asked, as the audit and a server's actions name it. */
export const SYSTEM_USER_ID = 'aerostat';

/** Aerostat itself, as an operator, for a project: what its own rounds call the services' verbs with. */
export function asSystem(ctx: Context, projectId: string): ProjectContext {
  return {
    ...ctx,
    actor: {
      userId: SYSTEM_USER_ID,
      userName: SYSTEM_USER_ID,
      userDomainId: 'default',
      userDomainName: 'Default',
      projectId,
      projectName: null,
      projectDomainId: null,
      projectDomainName: null,
      domainId: null,
      systemScope: false,
      roles: ['admin', 'manager', 'member', 'reader'],
      auditId: '',
      issuedAtMs: 0,
      expiresAtMs: Number.MAX_SAFE_INTEGER,
    },
  };
}
