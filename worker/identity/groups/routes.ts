import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { userView } from '../users/views.ts';
import { createGroup } from './create-group.ts';
import { deleteGroup } from './delete-group.ts';
import { findGroup } from './find-group.ts';
import { groupToCreate, groupToUpdate } from './group-body.ts';
import { listGroups } from './list-groups.ts';
import { addMember, listMembers, type Membership, removeMember, requireMember } from './members.ts';
import { updateGroup } from './update-group.ts';
import { groupView } from './views.ts';

const membershipOf = (c: AppContext): Membership => ({
  groupId: c.req.param('id') ?? '',
  userId: c.req.param('user') ?? '',
});

export const groupRoutes = new Hono<AppEnv>()
  .get('/', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listGroups(ctx, { query, page });
    return renderCollection(c, 'groups', rows, page, (row) => groupView(ctx.baseUrl, row));
  })
  .post('/', async (c) => {
    const ctx = actorContext(c);
    const row = await createGroup(ctx, await readMember(c, 'group', groupToCreate));
    return c.json({ group: groupView(ctx.baseUrl, row) }, 201);
  })
  .get('/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ group: groupView(ctx.baseUrl, await findGroup(ctx, c.req.param('id'), 'identity:get_group')) });
  })
  .patch('/:id', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'group', groupToUpdate);
    return c.json({ group: groupView(ctx.baseUrl, await updateGroup(ctx, { id: c.req.param('id'), ...input })) });
  })
  .delete('/:id', async (c) => {
    await deleteGroup(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/:id/users', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listMembers(ctx, { groupId: c.req.param('id'), query, page });
    return renderCollection(c, 'users', rows, page, (row) => userView(ctx.baseUrl, row));
  })
  .get('/:id/users/:user', async (c) => {
    await requireMember(actorContext(c), membershipOf(c));
    return c.body(null, 204);
  })
  .put('/:id/users/:user', async (c) => {
    await addMember(actorContext(c), membershipOf(c));
    return c.body(null, 204);
  })
  .delete('/:id/users/:user', async (c) => {
    await removeMember(actorContext(c), membershipOf(c));
    return c.body(null, 204);
  });
