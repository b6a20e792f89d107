import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { createDomain } from '../domains/create-domain.ts';
import { domainAsProjectView } from '../domains/views.ts';
import { tag as tagSchema, tags as tagsSchema } from '../http/attributes.ts';
import { checkValue, readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection, selfUrl } from '../http/collection.ts';
import { flag } from '../http/filters.ts';
import { createProject } from './create-project.ts';
import { deleteProject } from './delete-project.ts';
import { type FamilyForm, familyView } from './family-views.ts';
import { listProjects } from './list-projects.ts';
import { projectToCreate, projectToUpdate } from './project-body.ts';
import { addTag, listTags, removeTag, replaceTags, requireTag } from './project-tags.ts';
import { showProject } from './show-project.ts';
import { updateProject } from './update-project.ts';
import { projectView } from './views.ts';

export const projectRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const found = await listProjects(ctx, { query, page });
    if ('domains' in found) {
      return renderCollection(c, 'projects', found.domains, page, (row) => domainAsProjectView(ctx.baseUrl, row));
    }
    return renderCollection(c, 'projects', found.projects, page, (row) => projectView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const { isDomain, ...input } = await readMember(c, 'project', projectToCreate);
    if (!isDomain) return c.json({ project: projectView(ctx.baseUrl, await createProject(ctx, input)) }, 201);
    const { parentId, domainId, ...domain } = input;
    if (parentId !== null) throw badRequest('only root projects are allowed to act as domains.');
    if (domainId !== null) throw badRequest('A project acting as a domain has no domain_id.');
    return c.json({ project: domainAsProjectView(ctx.baseUrl, await createDomain(ctx, domain)) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    const parents = familyForm(c, 'parents');
    const subtree = familyForm(c, 'subtree');
    const found = await showProject(ctx, {
      id: c.req.param('id'),
      parents: parents !== undefined,
      subtree: subtree !== undefined,
    });
    if ('domain' in found) return c.json({ project: domainAsProjectView(ctx.baseUrl, found.domain) });
    return c.json({ project: familyView(ctx.baseUrl, found, { parents, subtree }) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'project', projectToUpdate);
    const changed = await updateProject(ctx, { id: c.req.param('id'), ...input });
    if ('domain' in changed) return c.json({ project: domainAsProjectView(ctx.baseUrl, changed.domain) });
    return c.json({ project: projectView(ctx.baseUrl, changed.project) });
  })
  .delete('/:id', async (c) => {
    await deleteProject(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/:id/tags', async (c) => renderTags(c, await listTags(actorContext(c), c.req.param('id'))))
  .put('/:id/tags', async (c) => {
    const tags = await readMember(c, 'tags', tagsSchema);
    const action = 'identity:update_project_tags';
    return renderTags(c, await replaceTags(actorContext(c), { id: c.req.param('id'), tags, action }));
  })
  .delete('/:id/tags', async (c) => {
    const action = 'identity:delete_project_tags';
    await replaceTags(actorContext(c), { id: c.req.param('id'), tags: [], action });
    return c.body(null, 204);
  })
  .get('/:id/tags/:tag', async (c) => {
    await requireTag(actorContext(c), c.req.param());
    return c.body(null, 204);
  })
  .put('/:id/tags/:tag', async (c) => {
    const tag = checkValue(c.req.param('tag'), tagSchema);
    await addTag(actorContext(c), { id: c.req.param('id'), tag });
    return c.body(null, 201, { location: selfUrl(c) });
  })
  .delete('/:id/tags/:tag', async (c) => {
    await removeTag(actorContext(c), c.req.param());
    return c.body(null, 204);
  });

function familyForm(c: AppContext, name: 'parents' | 'subtree'): FamilyForm {
  const query = queryOf(c);
  const list = flag(query, `${name}_as_list`);
  const ids = flag(query, `${name}_as_ids`);
  if (list && ids) throw badRequest(`Cannot use ${name}_as_list and ${name}_as_ids query params at the same time.`);
  return list ? 'list' : ids ? 'ids' : undefined;
}

const renderTags = (c: AppContext, tags: string[]) => c.json({ links: { self: selfUrl(c) }, tags });
