import { and, eq, sql } from 'drizzle-orm';
import { assignments, domains, groups, projects, roles, users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { missing } from '../http/names.ts';
import { type Action, authorize, type Target } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';

/** What a user or group is, or shall be, granted a role on. */
export type GrantTarget =
  | { type: 'project' | 'domain'; id: string; inherited: boolean }
  | { type: 'system'; id: 'all'; inherited: false };

/** Who is granted a role. */
export interface Grantee {
  type: 'user' | 'group';
  id: string;
}

export interface Grant {
  to: Grantee;
  roleId: string;
  target: GrantTarget;
}

/** What there is of the things that a grant connects. */
interface GrantFacts {
  /** The user or group. */
  grantee: { domainId: string } | undefined;
  role: RoleRow | undefined;
  project: { domainId: string } | undefined;
  domain: { id: string } | undefined;
  exists: boolean;
}

/** The condition on `assignments` for what a user or group was granted on a target. */
export const grantsOf = (to: Grantee, target: GrantTarget) =>
  and(
    eq(assignments.actorType, to.type),
    eq(assignments.actorId, to.id),
    eq(assignments.targetType, target.type),
    eq(assignments.targetId, target.id),
    eq(assignments.inherited, target.inherited),
  );

/** The domain of a user or group, if there is one. */
export function selectGrantee({ db }: ActorContext, to: Grantee) {
  const table = to.type === 'user' ? users : groups;
  return db.select({ domainId: table.domainId }).from(table).where(eq(table.id, to.id));
}

/** Reads all of them at once, and checks that the actor may do this to them. @throws ApiError 403 */
export async function readGrant(ctx: ActorContext, { to, roleId, target }: Grant, action: Action): Promise<GrantFacts> {
  const { db } = ctx;
  const [[grantee], [role], [project], [domain], [grant]] = await db.batch([
    selectGrantee(ctx, to),
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
      .where(and(grantsOf(to, target), eq(assignments.roleId, roleId))),
  ]);
  const facts = { grantee, role, project, domain, exists: grant !== undefined };
  authorize(ctx, action, policyTarget(to, facts));
  return facts;
}

/** @throws ApiError 404 for the first of role, grantee and target that is not there */
export function requireParts({ to, roleId, target }: Grant, facts: GrantFacts): { role: RoleRow } {
  if (!facts.role) throw missing('role', roleId);
  if (!facts.grantee) throw missing(to.type, to.id);
  if (target.type === 'project' && !facts.project) throw missing('project', target.id);
  if (target.type === 'domain' && !facts.domain) throw missing('domain', target.id);
  return { role: facts.role };
}

/** What policies are told about a grant. */
export function policyTarget(to: Grantee, facts: Omit<GrantFacts, 'exists'>): Target {
  const domainId = to.type === 'user' ? 'userDomainId' : 'groupDomainId';
  return {
    ...(facts.grantee ? { [domainId]: facts.grantee.domainId } : {}),
    ...(facts.role ? { roleName: facts.role.name, roleDomainId: facts.role.domainId } : {}),
    ...(facts.project ? { projectDomainId: facts.project.domainId } : {}),
    ...(facts.domain ? { domainId: facts.domain.id } : {}),
  };
}

/** The action's name: what is done on the system is told apart by who it is done to. */
export function grantAction(what: 'check' | 'create' | 'revoke', { to, target }: Pick<Grant, 'to' | 'target'>) {
  return target.type === 'system'
    ? (`identity:${what}_system_grant_for_${to.type}` as const)
    : (`identity:${what}_grant` as const);
}

/** 404 as Keystone words it. */
export const noGrant = ({ to, roleId, target }: Grant) =>
  notFound(
    `Could not find role assignment with role: ${roleId}, user or group: ${to.id}, project, domain, or system: ` +
      `${target.type === 'system' ? 'system' : target.id}.`,
  );
