import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection, selfUrl } from '../http/collection.ts';
import { createRole } from './create-role.ts';
import { deleteRole } from './delete-role.ts';
import { findRole } from './find-role.ts';
import {
  createImpliedRole,
  deleteImpliedRole,
  findRoleInference,
  type Inference,
  listImpliedRoles,
  listRoleInferences,
} from './implied-roles.ts';
import { listRoles } from './list-roles.ts';
import { roleToCreate, roleToUpdate } from './role-body.ts';
import { updateRole } from './update-role.ts';
import { impliedRoleView, roleInferenceView, roleView } from './views.ts';

const inferenceOf = (c: AppContext) => ({
  priorId: c.req.param('id') ?? '',
  impliedId: c.req.param('implied') ?? '',
});

function renderInference(c: AppContext, { prior, implied }: Inference, status: 200 | 201): Response {
  const { baseUrl } = c.get('ctx');
  const role_inference = impliedRoleView(baseUrl, prior, implied);
  return c.json({ role_inference, links: { self: selfUrl(c) } }, status);
}

export const roleRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listRoles(ctx, { query, page });
    return renderCollection(c, 'roles', rows, page, (row) => roleView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const row = await createRole(ctx, await readMember(c, 'role', roleToCreate));
    return c.json({ role: roleView(ctx.baseUrl, row) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ role: roleView(ctx.baseUrl, await findRole(ctx, c.req.param('id'), 'get')) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'role', roleToUpdate);
    return c.json({ role: roleView(ctx.baseUrl, await updateRole(ctx, { id: c.req.param('id'), ...input })) });
  })
  .delete('/:id', async (c) => {
    await deleteRole(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/:id/implies', async (c) => {
    const ctx = actorContext(c);
    const { prior, implied } = await listImpliedRoles(ctx, c.req.param('id'));
    return c.json({
      role_inference: roleInferenceView(ctx.baseUrl, prior, implied),
      links: { self: selfUrl(c) },
    });
  })
  .get('/:id/implies/:implied', async (c) => {
    const found = await findRoleInference(actorContext(c), inferenceOf(c));
    // Keystone's own way: a HEAD of an inference is answered like a check of a grant.
    return c.req.method === 'HEAD' ? c.body(null, 204) : renderInference(c, found, 200);
  })
  .put('/:id/implies/:implied', async (c) =>
    renderInference(c, await createImpliedRole(actorContext(c), inferenceOf(c)), 201),
  )
  .delete('/:id/implies/:implied', async (c) => {
    await deleteImpliedRole(actorContext(c), inferenceOf(c));
    return c.body(null, 204);
  });

export const roleInferenceRoutes = new Hono<AppEnv>().get('/', async (c) => {
  const ctx = actorContext(c);
  const rules = await listRoleInferences(ctx);
  return c.json({
    role_inferences: rules.map(({ prior, implied }) => roleInferenceView(ctx.baseUrl, prior, implied)),
  });
});
