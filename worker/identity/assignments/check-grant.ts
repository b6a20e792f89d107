import { asc, eq, inArray, sql } from 'drizzle-orm';
import { assignments, domains, projects, roles } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import type { RoleRow } from '../roles/views.ts';
import {
  type Grant,
  type Grantee,
  type GrantTarget,
  grantAction,
  grantsOf,
  noGrant,
  policyTarget,
  readGrant,
  requireParts,
  selectGrantee,
} from './grant.ts';

/** @throws ApiError 403, 404 (also: the user or group was not granted the role there) */
export async function checkGrant(ctx: ActorContext, grant: Grant): Promise<void> {
  const facts = await readGrant(ctx, grant, grantAction('check', grant));
  requireParts(grant, facts);
  if (!facts.exists) throw noGrant(grant);
}

/** The roles a user or group was granted on a target itself. @throws ApiError 403, 404 */
export async function listGrants(
  ctx: ActorContext,
  { to, target }: { to: Grantee; target: GrantTarget },
): Promise<RoleRow[]> {
  const { db } = ctx;
  const [[grantee], [project], [domain], rows] = await db.batch([
    selectGrantee(ctx, to),
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
      .where(inArray(roles.id, db.select({ id: assignments.roleId }).from(assignments).where(grantsOf(to, target))))
      .orderBy(asc(roles.id)),
  ]);
  const action =
    target.type === 'system' ? (`identity:list_system_grants_for_${to.type}` as const) : 'identity:list_grants';
  authorize(ctx, action, policyTarget(to, { grantee, role: undefined, project, domain }));
  if (!grantee) throw missing(to.type, to.id);
  if (target.type === 'project' && !project) throw missing('project', target.id);
  if (target.type === 'domain' && !domain) throw missing('domain', target.id);
  return rows;
}
