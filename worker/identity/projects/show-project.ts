import { eq, sql } from 'drizzle-orm';
import { domains, projects } from '../../../db/schema/identity.ts';
import type { ActorContext } from '../../http/context.ts';
import type { DomainRow } from '../domains/views.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { idsAbove, idsBelow, idsOfUser } from './tree.ts';
import type { ProjectRow } from './views.ts';

/** A project with those around it, each time only what was asked for. */
export interface ProjectFamily {
  project: ProjectRow;
  /** Above it, and below it, in no order. */
  parents: ProjectRow[];
  subtree: ProjectRow[];
  /** Those of both on which the token's user holds a role. */
  own: Set<string>;
}

/**
 * A project, or the domain of that id, which in Keystone is a project too.
 * @throws ApiError 403, 404
 */
export async function showProject(
  ctx: ActorContext,
  { id, parents, subtree }: { id: string; parents: boolean; subtree: boolean },
): Promise<ProjectFamily | { domain: DomainRow }> {
  const { db } = ctx;
  const [[project], [domain], parentRows, subtreeRows, ownRows] = await db.batch([
    db.select().from(projects).where(eq(projects.id, id)),
    db.select().from(domains).where(eq(domains.id, id)),
    db
      .select()
      .from(projects)
      .where(parents ? sql`${projects.id} IN ${idsAbove(id)}` : sql`0`),
    db
      .select()
      .from(projects)
      .where(subtree ? sql`${projects.id} IN ${idsBelow(id)}` : sql`0`),
    db
      .select({ id: projects.id })
      .from(projects)
      .where(parents || subtree ? sql`${projects.id} IN ${idsOfUser(ctx.actor.userId)}` : sql`0`),
  ]);
  authorize(ctx, 'identity:get_project', {
    ...(project ? { projectId: id, projectDomainId: project.domainId } : {}),
  });
  if (project) {
    return { project, parents: parentRows, subtree: subtreeRows, own: new Set(ownRows.map((row) => row.id)) };
  }
  if (!domain) throw missing('project', id);
  return { domain };
}
