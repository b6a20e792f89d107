import { and, asc, eq, inArray, sql } from 'drizzle-orm';
import { assignments, domains, projects, roles, users } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';
import { type Grant, type GrantTarget, grantsOf, noGrant, policyTarget, readGrant, requireParts } from './grant.ts';

/** @throws ApiError 403, 404 (also: the user was not granted the role there) */
export async function checkGrant(ctx: ActorContext, grant: Grant): Promise<void> {
  const system = grant.target.type === 'system';
  const facts = await readGrant(ctx, grant, system ? 'identity:check_system_grant_for_user' : 'identity:check_grant');
  requireParts(grant, facts);
  if (!facts.exists) throw noGrant(grant);
}

/** The roles a user was granted on a target itself. @throws ApiError 403, 404 */
export async function listGrants(
  ctx: ActorContext,
  { userId, target }: { userId: string; target: GrantTarget },
): Promise<RoleRow[]> {
  const { db } = ctx;
  const [[user], [project], [domain], rows] = await db.batch([
    db.select({ domainId: users.domainId }).from(users).where(eq(users.id, userId)),
    db
      .select({ domainId: projects.domainId })
      .from(projects)
      .where(target.type === 'project' ? eq(projects.id, target.id) : sql`0`),
    db
      .select({ id: domains.id })
      .from(domains)
      .where(target.type === 'domain' ? eq(domains.id, target.id) : sql`0`),
    db
      .select()
      .from(roles)
      .where(
        inArray(
          roles.id,
          db
            .select({ id: assignments.roleId })
            .from(assignments)
            .where(and(grantsOf(userId, target))),
        ),
      )
      .orderBy(asc(roles.id)),
  ]);
  const action = target.type === 'system' ? 'identity:list_system_grants_for_user' : 'identity:list_grants';
  authorize(ctx, action, policyTarget({ user, role: undefined, project, domain }));
  if (!user) throw missing('user', userId);
  if (target.type === 'project' && !project) throw missing('project', target.id);
  if (target.type === 'domain' && !domain) throw missing('domain', target.id);
  return rows;
}
