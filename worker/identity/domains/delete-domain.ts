import { and, eq, inArray, or, sql } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import { assignments, domains, groups, projects, roles, users } from '../../../db/schema/identity.ts';
import { AssertionFailed, assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { forgetOrphans } from '../federation/forget-users.ts';
import { missing, requireMutable } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';

const ENABLED = 'Cannot delete a domain that is enabled, please disable it first.';

/** Deletes a disabled domain with its projects, users, roles, identity providers and all they were granted. @throws ApiError 403, 404 */
export async function deleteDomain(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  authorize(ctx, 'identity:delete_domain');
  const [domain] = await db.select().from(domains).where(eq(domains.id, id));
  if (!domain) throw missing('domain', id);
  requireMutable('domain', domain);
  if (domain.enabled) throw forbidden(ENABLED);
  const ownProjects = db.select({ id: projects.id }).from(projects).where(eq(projects.domainId, id));
  const ownGroups = db.select({ id: groups.id }).from(groups).where(eq(groups.domainId, id));
  const ownUsers = db.select({ id: users.id }).from(users).where(eq(users.domainId, id));
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_domain', targetType: 'domain', targetId: id, detail: { name: domain.name } },
      statements: [
        assertThat(db, 'domain-disabled', sql`NOT EXISTS (SELECT 1 FROM domains WHERE id = ${id} AND enabled)`),
        db
          .delete(assignments)
          .where(
            or(
              and(eq(assignments.targetType, 'domain'), eq(assignments.targetId, id)),
              and(eq(assignments.targetType, 'project'), inArray(assignments.targetId, ownProjects)),
              and(eq(assignments.actorType, 'user'), inArray(assignments.actorId, ownUsers)),
              and(eq(assignments.actorType, 'group'), inArray(assignments.actorId, ownGroups)),
            ),
          ),
        db.update(users).set({ defaultProjectId: null }).where(inArray(users.defaultProjectId, ownProjects)),
        db.delete(groups).where(eq(groups.domainId, id)),
        db.delete(roles).where(eq(roles.domainId, id)),
        db
          .delete(credentials)
          .where(or(inArray(credentials.userId, ownUsers), inArray(credentials.projectId, ownProjects))),
        db.delete(users).where(eq(users.domainId, id)),
        db.delete(projects).where(eq(projects.domainId, id)),
        db.delete(domains).where(eq(domains.id, id)),
        ...forgetOrphans(db),
      ],
    },
    [{ kind: 'domain', subject: id }],
    sql`SELECT 'user' AS kind, user_id AS subject FROM group_members
      WHERE group_id IN (SELECT id FROM groups WHERE domain_id = ${id})
      UNION ALL SELECT 'federation', id FROM identity_providers WHERE domain_id = ${id}`,
  ).catch((error: unknown) => {
    throw error instanceof AssertionFailed ? forbidden(ENABLED) : error;
  });
}
