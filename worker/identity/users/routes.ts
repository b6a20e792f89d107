import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { linksOf } from '../federation/links.ts';
import { listUserGroups } from '../groups/list-groups.ts';
import { groupView } from '../groups/views.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { listUserProjects } from '../projects/list-user-projects.ts';
import { projectView } from '../projects/views.ts';
import { changePassword } from './change-password.ts';
import { createUser } from './create-user.ts';
import { deleteUser } from './delete-user.ts';
import { findUser } from './find-user.ts';
import { listUsers } from './list-users.ts';
import { updateUser } from './update-user.ts';
import { passwordChange, userToCreate, userToUpdate } from './user-body.ts';
import { userView } from './views.ts';

/** What needs no token. */
export const passwordRoutes = new Hono<AppEnv>().post('/:id/password', async (c) => {
  const input = await readMember(c, 'user', passwordChange);
  await changePassword(c.get('ctx'), { id: c.req.param('id'), ...input });
  return c.body(null, 204);
});

export const userRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listUsers(ctx, { query, page });
    return renderCollection(c, 'users', rows, page, (row) => userView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'user', userToCreate);
    return c.json({ user: userView(ctx.baseUrl, await createUser(ctx, input), input.links) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    const id = c.req.param('id');
    const [row, links] = await Promise.all([findUser(ctx, id, 'identity:get_user'), linksOf(ctx, id)]);
    return c.json({ user: userView(ctx.baseUrl, row, links) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const id = c.req.param('id');
    const row = await updateUser(ctx, { id, ...(await readMember(c, 'user', userToUpdate)) });
    return c.json({ user: userView(ctx.baseUrl, row, await linksOf(ctx, id)) });
  })
  .delete('/:id', async (c) => {
    await deleteUser(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/:id/projects', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listUserProjects(ctx, { userId: c.req.param('id'), query, page });
    return renderCollection(c, 'projects', rows, page, (row) => projectView(ctx.baseUrl, row));
  })
  .get('/:id/groups', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listUserGroups(ctx, { userId: c.req.param('id'), query, page });
    return renderCollection(c, 'groups', rows, page, (row) => groupView(ctx.baseUrl, row));
  });
