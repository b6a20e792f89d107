import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { queryOf, renderWhole } from '../http/collection.ts';
import { missing } from '../http/names.ts';
import { roleView } from '../roles/views.ts';
import { createTrust } from './create-trust.ts';
import { deleteTrust } from './delete-trust.ts';
import { findTrust, listTrusts } from './read-trust.ts';
import { trustToCreate } from './trust-body.ts';
import { trustRolesView, trustSummary, trustView } from './views.ts';

/** OS-TRUST: what users let each other do. */
export const trustRoutes = new Hono<AppEnv>()
  .get('/trusts', async (c) => {
    const ctx = actorContext(c);
    const rows = await listTrusts(ctx, queryOf(c));
    const views = rows.map((row) => trustSummary(ctx.baseUrl, row));
    return renderWhole(c, 'trusts', views);
  })
  .post('/trusts', async (c) => {
    const ctx = actorContext(c);
    const made = await createTrust(ctx, await readMember(c, 'trust', trustToCreate));
    return c.json({ trust: trustView(ctx.baseUrl, made) }, 201);
  })
  .get('/trusts/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ trust: trustView(ctx.baseUrl, await findTrust(ctx, c.req.param('id'), 'identity:get_trust')) });
  })
  .delete('/trusts/:id', async (c) => {
    await deleteTrust(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .get('/trusts/:id/roles', async (c) => {
    const ctx = actorContext(c);
    const trust = await findTrust(ctx, c.req.param('id'), 'identity:list_roles_for_trust');
    return c.json(trustRolesView(ctx.baseUrl, trust, 'links'));
  })
  .get('/trusts/:id/roles/:role', async (c) => {
    const ctx = actorContext(c);
    const { roles } = await findTrust(ctx, c.req.param('id'), 'identity:get_role_for_trust');
    const role = roles.find(({ id }) => id === c.req.param('role'));
    if (!role) throw missing('role', c.req.param('role'));
    return c.json({ role: roleView(ctx.baseUrl, role) });
  });
