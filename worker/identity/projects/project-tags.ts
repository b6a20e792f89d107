import { eq } from 'drizzle-orm';
import { projects } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { tags as tagsSchema } from '../http/attributes.ts';
import { missing, requireMutable } from '../http/names.ts';
import { type Action, authorize } from '../policy.ts';
import type { ProjectRow } from './views.ts';

async function find(ctx: ActorContext, id: string, action: Action): Promise<ProjectRow> {
  const [project] = await ctx.db.select().from(projects).where(eq(projects.id, id));
  authorize(ctx, action, project ? { projectId: id, projectDomainId: project.domainId } : {});
  if (!project) throw missing('project', id);
  return project;
}

/** @throws ApiError 403, 404 */
export async function listTags(ctx: ActorContext, id: string): Promise<string[]> {
  return (await find(ctx, id, 'identity:list_project_tags')).tags;
}

/** @throws ApiError 403, 404 (no such project, or it has no such tag) */
export async function requireTag(
  ctx: ActorContext,
  { id, tag, action = 'identity:get_project_tag' }: { id: string; tag: string; action?: Action },
): Promise<ProjectRow> {
  const project = await find(ctx, id, action);
  if (!project.tags.includes(tag)) throw notFound(`Could not find project tag: ${tag}.`);
  return project;
}

/** Puts these tags in the place of all others. @throws ApiError 403, 404 */
export async function replaceTags(
  ctx: ActorContext,
  {
    id,
    tags,
    action,
  }: { id: string; tags: string[]; action: 'identity:update_project_tags' | 'identity:delete_project_tags' },
): Promise<string[]> {
  return store(ctx, await find(ctx, id, action), tags, action);
}

/** Adds one. @throws ApiError 400 (too many), 403, 404 */
export async function addTag(ctx: ActorContext, { id, tag }: { id: string; tag: string }): Promise<void> {
  const action = 'identity:create_project_tag';
  const project = await find(ctx, id, action);
  if (project.tags.includes(tag)) return;
  const tags = tagsSchema.safeParse([...project.tags, tag]);
  if (!tags.success) throw badRequest(`Invalid input for field 'tags': ${tags.error.issues[0]?.message}`);
  await store(ctx, project, tags.data, action);
}

/** Takes one away. @throws ApiError 403, 404 (also: it has no such tag) */
export async function removeTag(ctx: ActorContext, { id, tag }: { id: string; tag: string }): Promise<void> {
  const action = 'identity:delete_project_tag';
  const project = await requireTag(ctx, { id, tag, action });
  await store(
    ctx,
    project,
    project.tags.filter((one) => one !== tag),
    action,
  );
}

async function store(ctx: ActorContext, project: ProjectRow, tags: string[], action: Action): Promise<string[]> {
  requireMutable('project', project, { options: {} });
  await commit(ctx, {
    audit: { action, targetType: 'project', targetId: project.id, detail: { tags } },
    statements: [ctx.db.update(projects).set({ tags }).where(eq(projects.id, project.id))],
  });
  return tags;
}
