import { and, eq, inArray, or, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../../db/client.ts';
import { federatedUsers } from '../../../../db/schema/federation.ts';
import { assignments, domains, groupMembers, groups, projects, roles, users } from '../../../../db/schema/identity.ts';
import type { DomainRef, Mapped } from '../mapping/evaluate.ts';
import type { FederationRows } from './find-federation.ts';

/** All that the database knows of what a mapping made of somebody, as of one moment. */
export type Ground = Awaited<ReturnType<typeof readGround>>;

/** The condition on `domains` for one by id or name; without either the identity provider's. */
const domainIs = ({ id, name }: DomainRef, { provider }: FederationRows): SQL =>
  id !== undefined
    ? eq(domains.id, id)
    : name !== undefined
      ? eq(domains.name, name)
      : eq(domains.id, provider.domainId);

/** Reads in one round trip what a log-in elsewhere touches here. */
export async function readGround(
  db: Database,
  by: FederationRows,
  { mapped, uniqueId }: { mapped: Mapped; uniqueId: string },
) {
  const known = and(
    eq(federatedUsers.idpId, by.provider.id),
    eq(federatedUsers.protocolId, by.protocol.id),
    eq(federatedUsers.uniqueId, uniqueId),
  );
  const knownId = db.select({ id: federatedUsers.userId }).from(federatedUsers).where(known);
  const projectDomain = (ref: DomainRef | undefined) => domainIs(ref ?? {}, by);
  const wantedProjects = mapped.projects.map(({ name, domain }) => and(eq(projects.name, name), projectDomain(domain)));
  const [userRows, userDomains, projectDomains, groupRows, roleRows, projectRows, granted, memberships] =
    await db.batch([
      db.select().from(users).where(inArray(users.id, knownId)),
      db
        .select()
        .from(domains)
        .where(domainIs(mapped.user.domain ?? {}, by)),
      db
        .select({ id: domains.id, name: domains.name })
        .from(domains)
        .where(or(eq(domains.id, by.provider.domainId), ...mapped.projects.map(({ domain }) => projectDomain(domain)))),
      db
        .select({ id: groups.id, name: groups.name })
        .from(groups)
        .innerJoin(domains, eq(domains.id, groups.domainId))
        .where(
          or(
            inArray(groups.id, mapped.groupIds),
            ...mapped.groupNames.map(({ name, domain }) => and(eq(groups.name, name), domainIs(domain, by))),
          ),
        )
        .orderBy(groups.id),
      db
        .select({ id: roles.id, name: roles.name, domainId: roles.domainId })
        .from(roles)
        .where(inArray(roles.name, [...new Set(mapped.projects.flatMap((project) => project.roles))])),
      db
        .select({ id: projects.id, name: projects.name, domainId: projects.domainId })
        .from(projects)
        .innerJoin(domains, eq(domains.id, projects.domainId))
        .where(wantedProjects.length > 0 ? or(...wantedProjects) : sql`0`),
      db
        .select({ projectId: assignments.targetId, roleId: assignments.roleId })
        .from(assignments)
        .where(
          and(
            eq(assignments.actorType, 'user'),
            inArray(assignments.actorId, knownId),
            eq(assignments.targetType, 'project'),
            eq(assignments.inherited, false),
          ),
        ),
      db
        .select()
        .from(groupMembers)
        .where(and(inArray(groupMembers.userId, knownId), eq(groupMembers.idpId, by.provider.id))),
    ]);
  return {
    user: userRows[0],
    userDomain: userDomains[0],
    projectDomains,
    groups: groupRows,
    roles: roleRows,
    projects: projectRows,
    granted,
    memberships,
  };
}
