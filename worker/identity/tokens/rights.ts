import { and, eq, inArray, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { domains, projects, revocations, roles, users } from '../../../db/schema/identity.ts';
import { isOfUser } from '../assignments/of-user.ts';
import { idsAbove } from '../projects/tree.ts';
import { closureOf } from '../roles/closure.ts';
import type { Standing } from '../users/security-compliance.ts';
import type { Ref, RefInDomain, ScopeRequest } from './auth-request.ts';
import type { Revocation } from './revocation.ts';
import type { InDomain, Named } from './token.ts';

/** A user as a log-in needs it. */
export interface KnownUser extends InDomain, Standing {
  passwordHash: string | null;
  enabled: boolean;
}

/** A role on a scope; one of a domain is in no token itself. */
interface HeldRole extends Named {
  domainId: string;
}

/** What the database says about a log-in, all as of one moment. */
export interface Rights {
  user: KnownUser | undefined;
  /** The project or domain of the wanted scope. */
  project: (InDomain & { enabled: boolean }) | undefined;
  domain: (Named & { enabled: boolean }) | undefined;
  /** Roles on the scope: those held, by the user or by a group, and all that they imply. */
  held: HeldRole[];
  /** Of rights that were passed on: the ids of the roles that were, and of what they imply. */
  passedOn: string[];
  /** Others who must be able to log in, too. */
  others: KnownUser[];
  revocationSeq: number;
  /** Whether one of the given revocations came after `since`. */
  revoked: boolean;
}

/** Reads who a user is and what the user may do on a scope, in one round trip. */
export async function readRights(
  db: Database,
  wanted: {
    user: RefInDomain;
    scope: ScopeRequest;
    revocations: Revocation[];
    since: number;
    /** Whose rights on the scope they are, when not the user's, and which of their roles were passed on. */
    holder?: { id: string; roleIds: string[] } | undefined;
    otherIds?: string[];
  },
): Promise<Rights> {
  const { scope, holder } = wanted;
  const userId = sql`(${db.select({ id: users.id }).from(users).innerJoin(domains, eq(domains.id, users.domainId)).where(userIs(wanted.user)).getSQL()})`;
  const [userRows, projectRows, domainRows, roleRows, [last], revokedRows, passedOn, others] = await db.batch([
    selectUsers(db, userIs(wanted.user)),
    selectProject(db, projectIs(scope, userId)),
    db
      .select({ id: domains.id, name: domains.name, enabled: domains.enabled })
      .from(domains)
      .where(scope.type === 'domain' ? domainIs(scope.domain) : sql`0`),
    selectHeld(db, holder ? sql`${holder.id}` : userId, holdsOn(scope, userId)),
    db.select({ seq: sql<number>`coalesce(max(${revocations.seq}), 0)` }).from(revocations),
    db.select({ seq: revocations.seq }).from(revocations).where(isAnyOf(wanted.revocations, wanted.since)).limit(1),
    db
      .select({ id: roles.id })
      .from(roles)
      .where(
        sql`${roles.id} IN ${closureOf(sql`SELECT value FROM json_each(${JSON.stringify(holder?.roleIds ?? [])})`)}`,
      ),
    selectUsers(db, inArray(users.id, wanted.otherIds ?? [])),
  ]);
  return {
    user: userRows[0],
    project: projectRows[0],
    domain: domainRows[0],
    held: roleRows,
    passedOn: passedOn.map(({ id }) => id),
    others,
    revocationSeq: last?.seq ?? 0,
    revoked: revokedRows.length > 0,
  };
}

/** The roles that a user holds where a condition on `assignments` says, with those that they imply. */
const selectHeld = (db: Database, userId: SQL, where: SQL) =>
  db.all<HeldRole>(sql`
    SELECT roles.id AS id, roles.name AS name, roles.domain_id AS domainId FROM roles
    WHERE roles.id IN ${closureOf(sql`SELECT role_id FROM assignments WHERE ${isOfUser(userId)} AND (${where})`)}
    ORDER BY roles.id`);

/** The roles that a user has on a project, those of domains and implied ones among them. */
export const rolesOnProject = (db: Database, userId: string, projectId: string) =>
  selectHeld(db, sql`${userId}`, countsOnProject(sql`${projectId}`));

const domainOf = { id: domains.id, name: domains.name };

function selectUsers(db: Database, condition: SQL | undefined) {
  return db
    .select({
      id: users.id,
      name: users.name,
      passwordHash: users.passwordHash,
      enabled: sql<boolean>`${users.enabled} AND ${domains.enabled}`.mapWith(Boolean),
      options: users.options,
      failedLogins: users.failedLogins,
      failedAtMs: users.failedAtMs,
      activeAtMs: users.activeAtMs,
      createdAtMs: users.createdAtMs,
      passwordExpiresAtMs: users.passwordExpiresAtMs,
      domain: domainOf,
    })
    .from(users)
    .innerJoin(domains, eq(domains.id, users.domainId))
    .where(condition);
}

function selectProject(db: Database, condition: SQL | undefined) {
  return db
    .select({
      id: projects.id,
      name: projects.name,
      enabled: sql<boolean>`${projects.enabled} AND ${domains.enabled}`.mapWith(Boolean),
      domain: domainOf,
    })
    .from(projects)
    .innerJoin(domains, eq(domains.id, projects.domainId))
    .where(condition);
}

const domainIs = (domain: Ref): SQL => ('id' in domain ? eq(domains.id, domain.id) : eq(domains.name, domain.name));

/** By name only who has one to log in by: what an identity provider calls its users is for show. */
const userIs = (user: RefInDomain): SQL | undefined =>
  'id' in user
    ? eq(users.id, user.id)
    : and(eq(users.name, user.name), eq(users.federated, false), domainIs(user.domain));

function projectIs(scope: ScopeRequest, userId: SQL): SQL | undefined {
  if (scope.type === 'default') {
    return eq(projects.id, sql`(SELECT default_project_id FROM users WHERE id = ${userId})`);
  }
  if (scope.type !== 'project') return sql`0`;
  const { project } = scope;
  return 'id' in project ? eq(projects.id, project.id) : and(eq(projects.name, project.name), domainIs(project.domain));
}

/** The condition on `assignments` under which one counts on the scope. */
function holdsOn(scope: ScopeRequest, userId: SQL): SQL {
  switch (scope.type) {
    case 'unscoped':
    case 'trust':
      return sql`0`;
    case 'system':
      return sql`target_type = 'system' AND inherited = 0`;
    case 'domain':
      return sql`target_type = 'domain' AND inherited = 0
        AND target_id = (SELECT domains.id FROM domains WHERE ${domainIs(scope.domain)})`;
    default:
      return countsOnProject(
        sql`(SELECT projects.id FROM projects JOIN domains ON domains.id = projects.domain_id WHERE ${projectIs(scope, userId)})`,
      );
  }
}

/** The condition on `assignments` under which one counts on a project: made there, or inherited from above it. */
function countsOnProject(projectId: SQL): SQL {
  return sql`(target_type = 'project' AND inherited = 0 AND target_id = ${projectId})
    OR (target_type = 'domain' AND inherited = 1
      AND target_id = (SELECT projects.domain_id FROM projects WHERE projects.id = ${projectId}))
    OR (target_type = 'project' AND inherited = 1 AND target_id IN ${idsAbove(projectId)})`;
}

function isAnyOf(wanted: Revocation[], since: number): SQL {
  if (wanted.length === 0) return sql`0`;
  const pairs = wanted.map(({ kind, subject }) => sql`(${kind}, ${subject})`);
  return sql`${revocations.seq} > ${since} AND (${revocations.kind}, ${revocations.subject}) IN (VALUES ${sql.join(pairs, sql`, `)})`;
}
