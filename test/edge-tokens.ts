import { env } from 'cloudflare:test';
import { importTokenKey, sealToken } from '../worker/identity/tokens/token.ts';

export interface Actor {
  projectId: string;
  userId: string;
  token: string;
}

const hexId = () => crypto.randomUUID().replaceAll('-', '');
export const ROLES = ['reader', 'member', 'manager', 'admin'] as const;
const LIFE_MS = 3_600_000;

/**
 * An actor whose token is signed here, for tests of services that trust the token alone; no row of it is in the database.
 * @param projectId - null: an unscoped token; absent: a project of its own
 * @param of - the domain of user and project, and how long the token is good for
 */
export async function mintActor(
  role: (typeof ROLES)[number],
  projectId: string | null = hexId(),
  of: { domainId?: string; lifeMs?: number } = {},
): Promise<Actor> {
  const { domainId, lifeMs = LIFE_MS } = of;
  const domain = domainId ? { id: domainId, name: `d-${domainId}` } : { id: 'default', name: 'Default' };
  const userId = hexId();
  const nowMs = Date.now();
  const roles = ROLES.slice(0, ROLES.indexOf(role) + 1).map((name) => ({ id: `role-${name}`, name }));
  const key = await importTokenKey((env as unknown as { TOKEN_KEY: string }).TOKEN_KEY);
  const token = await sealToken(
    {
      user: { id: userId, name: `u-${userId}`, domain },
      scope:
        projectId === null
          ? { type: 'unscoped' }
          : { type: 'project', project: { id: projectId, name: `p-${projectId}`, domain } },
      roles: projectId === null ? [] : roles,
      methods: ['password'],
      auditIds: [hexId()],
      issuedAtMs: nowMs,
      expiresAtMs: nowMs + lifeMs,
      revocationSeq: 0,
    },
    key,
  );
  return { projectId: projectId ?? '', userId, token };
}
