import { Hono } from 'hono';
import { z } from 'zod';
import { parseBody } from '../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { authenticate } from '../identity/authenticate.ts';
import { deactivateImage, reactivateImage } from './activation.ts';
import { createImage } from './create-image.ts';
import { createMember } from './create-member.ts';
import { dataRoutes } from './data-routes.ts';
import { deleteImage } from './delete-image.ts';
import { deleteMember } from './delete-member.ts';
import { imageFault } from './faults.ts';
import { findImage } from './find-image.ts';
import { findMembers } from './find-members.ts';
import { parseImageBody } from './image-body.ts';
import { addTag, removeTag } from './image-tags.ts';
import { importRoutes } from './imports/routes.ts';
import { IMPORT_METHODS, STORE_ID } from './imports/stores.ts';
import { PATCH_TYPE, parseChanges, patchDraft } from './json-patch.ts';
import { listImages } from './list-images.ts';
import { metadefRoutes } from './metadefs/routes.ts';
import { METADEF_SCHEMAS } from './metadefs/schemas.ts';
import { onlyMethods } from './only-methods.ts';
import { SCHEMAS } from './schemas.ts';
import { showMember } from './show-member.ts';
import { updateImage } from './update-image.ts';
import { updateMember } from './update-member.ts';
import { versionsDocument } from './versions.ts';
import { imagesView, imageView, memberView } from './views.ts';

const anyJson = z.unknown();
export const newMember = z.object({ member: z.string().min(1).max(255) });
export const memberStatus = z.object({ status: z.string() });

const v2 = new Hono<AppEnv>();
v2.use(authenticate);
/** The app takes a path with and without a slash at its end; Glance does not, so an image with no id is not the list. */
v2.use(async (c, next) => {
  if (new URL(c.req.url).pathname.endsWith('/')) throw notFound('The resource could not be found.');
  await next();
});

v2.post('/images', async (c) => {
  const ctx = actorContext(c);
  const row = await createImage(ctx, parseImageBody(await parseBody(c, anyJson)));
  return c.json(imageView(row), 201, {
    location: `${ctx.baseUrl}/image/v2/images/${row.id}`,
    'OpenStack-image-import-methods': IMPORT_METHODS.join(','),
    'OpenStack-image-store-ids': STORE_ID,
  });
});
v2.get('/images', async (c) => {
  const query = new URL(c.req.url).searchParams;
  const { rows, nextMarker } = await listImages(actorContext(c), query);
  return c.json(imagesView(rows, query, nextMarker));
});
v2.all('/images', onlyMethods('GET, POST'));

v2.get('/images/:id', async (c) => c.json(imageView(await findImage(actorContext(c), c.req.param('id')))));
v2.patch('/images/:id', async (c) => {
  const draft = patchDraft(c.req.header('content-type'));
  const changes = parseChanges(await parseBody(c, anyJson, PATCH_TYPE), draft);
  return c.json(imageView(await updateImage(actorContext(c), c.req.param('id'), changes)));
});
v2.delete('/images/:id', async (c) => {
  await deleteImage(actorContext(c), c.req.param('id'));
  return c.body(null, 204);
});
v2.all('/images/:id', onlyMethods('GET, PATCH, DELETE'));

v2.post('/images/:id/actions/deactivate', async (c) => {
  await deactivateImage(actorContext(c), c.req.param('id'));
  return c.body(null, 204);
});
v2.post('/images/:id/actions/reactivate', async (c) => {
  await reactivateImage(actorContext(c), c.req.param('id'));
  return c.body(null, 204);
});
v2.all('/images/:id/actions/:action{deactivate|reactivate}', onlyMethods('POST'));

v2.put('/images/:id/tags/:tag', async (c) => {
  await addTag(actorContext(c), c.req.param('id'), c.req.param('tag'));
  return c.body(null, 204);
});
v2.delete('/images/:id/tags/:tag', async (c) => {
  await removeTag(actorContext(c), c.req.param('id'), c.req.param('tag'));
  return c.body(null, 204);
});
v2.all('/images/:id/tags/:tag', onlyMethods('PUT, DELETE'));

v2.post('/images/:id/members', async (c) => {
  const { member } = await parseBody(c, newMember);
  return c.json(memberView(await createMember(actorContext(c), c.req.param('id'), member)));
});
v2.get('/images/:id/members', async (c) => {
  const { members } = await findMembers(actorContext(c), c.req.param('id'));
  return c.json({ members: members.map(memberView), schema: '/v2/schemas/members' });
});
v2.all('/images/:id/members', onlyMethods('GET, POST'));
v2.get('/images/:id/members/:member', async (c) =>
  c.json(memberView(await showMember(actorContext(c), c.req.param('id'), c.req.param('member')))),
);
v2.put('/images/:id/members/:member', async (c) => {
  const { status } = await parseBody(c, memberStatus);
  const member = await updateMember(actorContext(c), c.req.param('id'), c.req.param('member'), status);
  return c.json(memberView(member));
});
v2.delete('/images/:id/members/:member', async (c) => {
  await deleteMember(actorContext(c), c.req.param('id'), c.req.param('member'));
  return c.body(null, 204);
});
v2.all('/images/:id/members/:member', onlyMethods('GET, PUT, DELETE'));

v2.route('/images', dataRoutes);

v2.route('/', importRoutes);

v2.route('/metadefs', metadefRoutes);

v2.get('/schemas/metadefs/:name', (c) => {
  const name = c.req.param('name');
  const schema = Object.hasOwn(METADEF_SCHEMAS, name) ? METADEF_SCHEMAS[name] : undefined;
  if (!schema) throw notFound('The resource could not be found.');
  return c.json(schema);
});
v2.get('/schemas/:name', (c) => {
  const name = c.req.param('name');
  const schema = Object.hasOwn(SCHEMAS, name) ? SCHEMAS[name] : undefined;
  if (!schema) throw notFound('The resource could not be found.');
  return c.json(schema);
});

const versions = (status: 200 | 300) => (c: AppContext) => c.json(versionsDocument(c.get('ctx').baseUrl), status);

/** Glance v2. */
export const image = new Hono<AppEnv>();
image.onError((error, c) => imageFault(error, c));
image.use(refuseNul);
image.get('/versions', versions(200));
image.route('/v2', v2);
image.all('/v2/*', () => {
  throw notFound('The resource could not be found.');
});
image.all('*', versions(300));
