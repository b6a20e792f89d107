import { and, eq, sql } from 'drizzle-orm';
import type { Clock } from '../shared/clock.ts';
import type { Ids } from '../shared/ids.ts';
import type { Database } from './client.ts';
import { domains, revocations, roles, users } from './schema/identity.ts';

const DEFAULT_DOMAIN = 'default';
/** Made at every start when absent; protected from change, as policies name them. */
const BASE_ROLES = ['admin', 'manager', 'member', 'reader', 'service'];
/** Which of them comes with which, until an administrator changes it. */
const BASE_IMPLICATIONS = [
  ['admin', 'manager'],
  ['manager', 'member'],
  ['member', 'reader'],
];
/** At least the life of a token: a revocation must outlive every token it covers. */
const REVOCATION_LIFE_MS = 24 * 3600 * 1000;

export interface BootstrapOptions {
  /** The admin's password. Without one the admin cannot log in; given again, it replaces one that differs. */
  adminPassword?: string;
  hash: (password: string) => Promise<string>;
  /** Tells a password that is already set, so that it is left alone and the admin's tokens stay valid. */
  verify?: (password: string, hash: string | null) => Promise<{ ok: boolean }>;
  clock: Clock;
  ids: Ids;
}

/**
 * Makes what identity needs before anyone can log in: the Default domain, the base roles, the project `admin` and the
 * user `admin`, who is admin on that project, on the domain and on the system. Safe to run at every start: what was
 * changed since the first run stays as it is.
 */
export async function bootstrap(db: Database, options: BootstrapOptions): Promise<void> {
  const [[domain], [admin]] = await db.batch([
    db.select({ id: domains.id }).from(domains).where(eq(domains.id, DEFAULT_DOMAIN)),
    db
      .select({ id: users.id, passwordHash: users.passwordHash })
      .from(users)
      .where(and(eq(users.domainId, DEFAULT_DOMAIN), eq(users.name, 'admin'))),
  ]);
  if (!domain || (!admin && options.adminPassword !== undefined)) return createAll(db, options);
  await db.batch([baseRoles(db, options)]);
  if (admin && options.adminPassword !== undefined) {
    await resetPassword(db, admin, options.adminPassword, options);
  }
}

async function createAll(db: Database, options: BootstrapOptions): Promise<void> {
  const { adminPassword, ids } = options;
  const nowMs = options.clock.nowMs();
  const passwordHash = adminPassword === undefined ? null : await options.hash(adminPassword);
  await db.batch([
    db
      .insert(domains)
      .values({ id: DEFAULT_DOMAIN, name: 'Default', description: 'The default domain' })
      .onConflictDoNothing(),
    baseRoles(db, options),
    db.run(sql`INSERT INTO implied_roles (prior_role_id, implied_role_id)
      SELECT prior.id, implied.id FROM roles AS prior JOIN roles AS implied
      WHERE prior.domain_id = '' AND implied.domain_id = ''
        AND (prior.name, implied.name) IN (VALUES ${sql.join(
          BASE_IMPLICATIONS.map(([prior, implied]) => sql`(${prior}, ${implied})`),
          sql`, `,
        )})
      ON CONFLICT DO NOTHING`),
    db.run(sql`INSERT INTO projects (id, domain_id, name, description)
      VALUES (${ids.hex()}, ${DEFAULT_DOMAIN}, 'admin', 'Bootstrap project for initializing the cloud.') ON CONFLICT DO NOTHING`),
    db.run(sql`INSERT INTO users (id, domain_id, name, password_hash, password_changed_at_ms, created_at_ms)
      VALUES (${ids.hex()}, ${DEFAULT_DOMAIN}, 'admin', ${passwordHash}, ${nowMs}, ${nowMs}) ON CONFLICT DO NOTHING`),
    db.run(sql`INSERT INTO assignments (actor_type, actor_id, target_type, target_id, role_id, inherited)
      SELECT 'user', users.id, target.type, target.id, roles.id, 0
      FROM users, roles, (
        SELECT 'project' AS type, id FROM projects WHERE domain_id = ${DEFAULT_DOMAIN} AND name = 'admin'
        UNION ALL SELECT 'domain', ${DEFAULT_DOMAIN}
        UNION ALL SELECT 'system', 'all'
      ) AS target
      WHERE users.domain_id = ${DEFAULT_DOMAIN} AND users.name = 'admin' AND roles.domain_id = '' AND roles.name = 'admin'
      ON CONFLICT DO NOTHING`),
  ]);
}

function baseRoles(db: Database, { ids }: BootstrapOptions) {
  return db
    .insert(roles)
    .values(BASE_ROLES.map((name) => ({ id: ids.hex(), name, options: { immutable: true } })))
    .onConflictDoNothing();
}

async function resetPassword(
  db: Database,
  admin: { id: string; passwordHash: string | null },
  password: string,
  options: BootstrapOptions,
): Promise<void> {
  if (options.verify && (await options.verify(password, admin.passwordHash)).ok) return;
  const nowMs = options.clock.nowMs();
  await db.batch([
    db
      .update(users)
      .set({ passwordHash: await options.hash(password), passwordChangedAtMs: nowMs })
      .where(eq(users.id, admin.id)),
    db
      .insert(revocations)
      .values({ kind: 'user', subject: admin.id, createdAtMs: nowMs, expiresAtMs: nowMs + REVOCATION_LIFE_MS }),
  ]);
}
