import { Hono } from 'hono';
import { badRequest, notFound } from '../../http/errors.ts';
import { actorOf, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { check, checkedBody, readBody } from '../http/validate.ts';
import { createFlavor } from './create-flavor.ts';
import { deleteFlavor } from './delete-flavor.ts';
import { deleteExtraSpec, listExtraSpecs, setExtraSpecs, showExtraSpec } from './extra-specs.ts';
import { findFlavor } from './find-flavor.ts';
import { addFlavorAccess, listFlavorAccess, removeFlavorAccess } from './flavor-access.ts';
import { listFlavors } from './list-flavors.ts';
import {
  addAccessBody,
  extraSpecBody,
  extraSpecsBody,
  flavorCreateBody,
  flavorUpdateBody,
  removeAccessBody,
} from './schemas.ts';
import { updateFlavor } from './update-flavor.ts';
import { basicFlavorView, flavorView } from './views.ts';

/** `/flavors` and what lies under a flavor. */
export const flavorRoutes = new Hono<ComputeEnv>();

flavorRoutes.get('/', async (c) => {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const { rows, page } = await listFlavors(actorOf(c), { query, version: rendering.version });
  const next = nextLink(
    rendering.links,
    'flavors',
    query,
    page,
    rows.map((row) => row.id),
  );
  return c.json({
    flavors: rows.map((row) => basicFlavorView(row, rendering)),
    ...(next ? { flavors_links: next } : {}),
  });
});

flavorRoutes.get('/detail', async (c) => {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const { rows, page } = await listFlavors(actorOf(c), { query, version: rendering.version });
  const next = nextLink(
    rendering.links,
    'flavors/detail',
    query,
    page,
    rows.map((row) => row.id),
  );
  return c.json({ flavors: rows.map((row) => flavorView(row, rendering)), ...(next ? { flavors_links: next } : {}) });
});

flavorRoutes.post('/', async (c) => {
  const { flavor } = await checkedBody(c, flavorCreateBody(c.get('microversion')));
  return c.json({ flavor: flavorView(await createFlavor(actorOf(c), flavor), renderingOf(c)) });
});

flavorRoutes.get('/:id', async (c) =>
  c.json({ flavor: flavorView(await findFlavor(actorOf(c), c.req.param('id')), renderingOf(c)) }),
);

flavorRoutes.put('/:id', async (c) => {
  if (c.get('microversion') < 55) throw notFound('The resource could not be found.');
  const { flavor } = await checkedBody(c, flavorUpdateBody);
  return c.json({ flavor: flavorView(await updateFlavor(actorOf(c), c.req.param('id'), flavor), renderingOf(c)) });
});

flavorRoutes.delete('/:id', async (c) => {
  await deleteFlavor(actorOf(c), c.req.param('id'));
  return c.body(null, 202);
});

flavorRoutes.get('/:id/os-flavor-access', async (c) =>
  c.json({ flavor_access: await listFlavorAccess(actorOf(c), c.req.param('id')) }),
);

flavorRoutes.post('/:id/action', async (c) => {
  const ctx = actorOf(c);
  const id = c.req.param('id');
  const body = await readBody(c);
  const [action, ...more] = Object.keys((body as object | null) ?? {});
  if (more.length > 0) throw badRequest('Malformed request body');
  if (action === 'addTenantAccess') {
    const { tenant } = check(body, addAccessBody).addTenantAccess;
    return c.json({ flavor_access: await addFlavorAccess(ctx, id, tenant, c.get('microversion')) });
  }
  if (action === 'removeTenantAccess') {
    const { tenant } = check(body, removeAccessBody).removeTenantAccess;
    return c.json({ flavor_access: await removeFlavorAccess(ctx, id, tenant) });
  }
  throw badRequest(`There is no such action: ${action}`);
});

flavorRoutes.get('/:id/os-extra_specs', async (c) =>
  c.json({ extra_specs: await listExtraSpecs(actorOf(c), c.req.param('id')) }),
);

flavorRoutes.post('/:id/os-extra_specs', async (c) => {
  const body = await checkedBody(c, extraSpecsBody);
  await setExtraSpecs(actorOf(c), c.req.param('id'), body.extra_specs, {
    verb: 'create',
    version: c.get('microversion'),
  });
  return c.json(body);
});

flavorRoutes.get('/:id/os-extra_specs/:key', async (c) => {
  const key = c.req.param('key');
  return c.json({ [key]: await showExtraSpec(actorOf(c), c.req.param('id'), key) });
});

flavorRoutes.put('/:id/os-extra_specs/:key', async (c) => {
  const body = await checkedBody(c, extraSpecBody);
  if (!Object.hasOwn(body, c.req.param('key'))) throw badRequest('Request body and URI mismatch');
  await setExtraSpecs(actorOf(c), c.req.param('id'), body, { verb: 'update', version: c.get('microversion') });
  return c.json(body);
});

flavorRoutes.delete('/:id/os-extra_specs/:key', async (c) => {
  await deleteExtraSpec(actorOf(c), c.req.param('id'), c.req.param('key'));
  return c.body(null);
});
