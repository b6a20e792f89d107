import { env } from 'cloudflare:test';
import { importTokenKey, sealToken } from '../worker/identity/tokens/token.ts';

export interface Actor {
  projectId: string;
  userId: string;
  token: string;
}

const hexId = () => crypto.randomUUID().replaceAll('-', '');
const ROLES = ['reader', 'member', 'manager', 'admin'] as const;
const LIFE_MS = 3_600_000;

/**
 * An actor whose token is signed here, for tests of services that trust the token alone; no row of it is in the database.
 * @param projectId - null: an unscoped token; absent: a project of its own
 */
export async function mintActor(role: (typeof ROLES)[number], projectId: string | null = hexId()): Promise<Actor> {
  const domain = { id: 'default', name: 'Default' };
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
      expiresAtMs: nowMs + LIFE_MS,
      revocationSeq: 0,
    },
    key,
  );
  return { projectId: projectId ?? '', userId, token };
}
