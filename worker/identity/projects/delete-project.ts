import { and, eq } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import { assignments, domains, projects, users } from '../../../db/schema/identity.ts';
import { ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { forbidden } from '../../http/errors.ts';
import { deleteDomain } from '../domains/delete-domain.ts';
import { missing, requireMutable } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';

/** Deletes a project without children, or the domain of that id, with all that was granted on it. @throws ApiError 403, 404 */
export async function deleteProject(ctx: ActorContext, id: string): Promise<void> {
  const { db } = ctx;
  const [[project], domainRows] = await db.batch([
    db.select().from(projects).where(eq(projects.id, id)),
    db.select({ id: domains.id }).from(domains).where(eq(domains.id, id)),
  ]);
  authorize(ctx, 'identity:delete_project', project ? { projectDomainId: project.domainId } : {});
  if (domainRows.length > 0) return deleteDomain(ctx, id);
  if (!project) throw missing('project', id);
  requireMutable('project', project);
  await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:delete_project', targetType: 'project', targetId: id, detail: { name: project.name } },
      statements: [
        db.delete(assignments).where(and(eq(assignments.targetType, 'project'), eq(assignments.targetId, id))),
        db.update(users).set({ defaultProjectId: null }).where(eq(users.defaultProjectId, id)),
        db.delete(credentials).where(eq(credentials.projectId, id)),
        db.delete(projects).where(eq(projects.id, id)),
      ],
    },
    [{ kind: 'project', subject: id }],
  ).catch((error: unknown) => {
    if (!(error instanceof ConstraintFailed)) throw error;
    throw forbidden(
      `Cannot delete the project ${id} since it is not a leaf in the hierarchy. Use the cascade option if you want ` +
        'to delete a whole subtree.',
    );
  });
}
