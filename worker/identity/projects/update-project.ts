import { and, eq, sql } from 'drizzle-orm';
import { domains, projects } from '../../../db/schema/identity.ts';
import { ConstraintFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, forbidden } from '../../http/errors.ts';
import { updateDomain } from '../domains/update-domain.ts';
import type { DomainRow } from '../domains/views.ts';
import { merged } from '../http/attributes.ts';
import { missing, requireMutable } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { commitRevoking } from '../tokens/revoke.ts';
import { nameTaken } from './create-project.ts';
import type { ProjectToUpdate } from './project-body.ts';
import { idsAbove, idsBelow } from './tree.ts';
import type { ProjectRow } from './views.ts';

/**
 * Changes a project, or the domain of that id, which in Keystone is a project too. Disabling ends the tokens for it.
 * @throws ApiError 400, 403, 404, 409
 */
export async function updateProject(
  ctx: ActorContext,
  { id, change, place }: { id: string } & ProjectToUpdate,
): Promise<{ project: ProjectRow } | { domain: DomainRow }> {
  const { db } = ctx;
  const [[project], domainRows, disabledAbove, enabledBelow] = await db.batch([
    db.select().from(projects).where(eq(projects.id, id)),
    db.select({ id: domains.id }).from(domains).where(eq(domains.id, id)),
    count(ctx, and(sql`${projects.id} IN ${idsAbove(id)}`, eq(projects.enabled, false))),
    count(ctx, and(sql`${projects.id} IN ${idsBelow(id)}`, eq(projects.enabled, true))),
  ]);
  authorize(ctx, 'identity:update_project', project ? { projectDomainId: project.domainId } : {});
  if (domainRows.length > 0) return { domain: await updateDomain(ctx, { id, change }) };
  if (!project) throw missing('project', id);
  requireSamePlace(project, place);
  requireMutable('project', project, change);
  const disabled = project.enabled && change.enabled === false;
  if (disabled && enabledBelow[0]) {
    throw forbidden(`Cannot disable project ${id} since its subtree contains enabled projects.`);
  }
  if (!project.enabled && change.enabled === true && disabledAbove[0]) {
    throw forbidden(`Cannot enable project ${id} since it has disabled parents`);
  }
  const update = db
    .update(projects)
    .set({
      ...change,
      options: merged(project.options, change.options),
      extra: merged(project.extra, change.extra),
    })
    .where(eq(projects.id, id))
    .returning();
  const detail = { changed: Object.keys(change) };
  const [rows] = await commitRevoking(
    ctx,
    {
      audit: { action: 'identity:update_project', targetType: 'project', targetId: id, detail },
      statements: [update],
    },
    disabled ? [{ kind: 'project', subject: id }] : [],
  ).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? nameTaken(change.name ?? project.name, id) : error;
  });
  const updated = (rows as ProjectRow[])[0];
  if (!updated) throw missing('project', id);
  return { project: updated };
}

const count = ({ db }: ActorContext, condition: ReturnType<typeof and>) =>
  db.select({ id: projects.id }).from(projects).where(condition).limit(1);

function requireSamePlace(project: ProjectRow, place: ProjectToUpdate['place']): void {
  if (place.id !== undefined && place.id !== project.id) throw badRequest('Cannot change ID');
  if (place.domainId !== undefined && place.domainId !== project.domainId) throw badRequest('Cannot change Domain ID');
  if (place.parentId !== undefined && place.parentId !== (project.parentId ?? project.domainId)) {
    throw forbidden('Update of `parent_id` is not allowed.');
  }
  if (place.isDomain) throw badRequest('Update of `is_domain` is not allowed.');
}
