import { and, eq, sql } from 'drizzle-orm';
import { assignments, domains, projects, roles, users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize, type Target } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';

/** What a user is, or shall be, granted a role on. */
export type GrantTarget =
  | { type: 'project' | 'domain'; id: string; inherited: boolean }
  | { type: 'system'; id: 'all'; inherited: false };

export interface Grant {
  userId: string;
  roleId: string;
  target: GrantTarget;
}

/** What there is of the things that a grant connects. */
interface GrantFacts {
  user: { domainId: string } | undefined;
  role: RoleRow | undefined;
  project: { domainId: string } | undefined;
  domain: { id: string } | undefined;
  exists: boolean;
}

/** The condition on `assignments` for what a user was granted on a target. */
export const grantsOf = (userId: string, target: GrantTarget) =>
  and(
    eq(assignments.actorType, 'user'),
    eq(assignments.actorId, userId),
    eq(assignments.targetType, target.type),
    eq(assignments.targetId, target.id),
    eq(assignments.inherited, target.inherited),
  );

/** Reads all of them at once, and checks that the actor may do this to them. @throws ApiError 403 */
export async function readGrant(
  ctx: ActorContext,
  { userId, roleId, target }: Grant,
  action: Action,
): Promise<GrantFacts> {
  const { db } = ctx;
  const [[user], [role], [project], [domain], [grant]] = await db.batch([
    db.select({ domainId: users.domainId }).from(users).where(eq(users.id, userId)),
    db.select().from(roles).where(eq(roles.id, roleId)),
    db
      .select({ domainId: projects.domainId })
      .from(projects)
      .where(target.type === 'project' ? eq(projects.id, target.id) : sql`0`),
    db
      .select({ id: domains.id })
      .from(domains)
      .where(target.type === 'domain' ? eq(domains.id, target.id) : sql`0`),
    db
      .select({ roleId: assignments.roleId })
      .from(assignments)
      .where(and(grantsOf(userId, target), eq(assignments.roleId, roleId))),
  ]);
  const facts = { user, role, project, domain, exists: grant !== undefined };
  authorize(ctx, action, policyTarget(facts));
  return facts;
}

/** @throws ApiError 404 for the first of role, user and target that is not there */
export function requireParts({ userId, roleId, target }: Grant, facts: GrantFacts): { role: RoleRow } {
  if (!facts.role) throw missing('role', roleId);
  if (!facts.user) throw missing('user', userId);
  if (target.type === 'project' && !facts.project) throw missing('project', target.id);
  if (target.type === 'domain' && !facts.domain) throw missing('domain', target.id);
  return { role: facts.role };
}

/** What policies are told about a grant. */
export function policyTarget(facts: Omit<GrantFacts, 'exists'>): Target {
  return {
    ...(facts.user ? { userDomainId: facts.user.domainId } : {}),
    ...(facts.role ? { roleName: facts.role.name, roleDomainId: facts.role.domainId } : {}),
    ...(facts.project ? { projectDomainId: facts.project.domainId } : {}),
    ...(facts.domain ? { domainId: facts.domain.id } : {}),
  };
}

/** 404 as Keystone words it. */
export const noGrant = ({ userId, roleId, target }: Grant) =>
  notFound(
    `Could not find role assignment with role: ${roleId}, user or group: ${userId}, project, domain, or system: ` +
      `${target.type === 'system' ? 'system' : target.id}.`,
  );
