import { Hono } from 'hono';
import { type AppEnv, actorContext } from '../http/context.ts';
import { downloadImage } from './download-image.ts';
import { imageDataResponse } from './image-data.ts';
import { checkStore } from './imports/stores.ts';
import { onlyMethods } from './only-methods.ts';
import { uploadImage } from './upload-image.ts';
import { uploadInput } from './upload-input.ts';

/** An image's data, both ways. Mounted where images are. */
export const dataRoutes = new Hono<AppEnv>();

dataRoutes.put('/:id/file', async (c) => {
  checkStore(c.req.header('x-image-meta-store'));
  await uploadImage(actorContext(c), c.req.param('id'), uploadInput(c));
  return c.body(null, 204);
});
dataRoutes.get('/:id/file', async (c) => {
  const data = await downloadImage(actorContext(c), c.req.param('id'), c.req.header('range'));
  return data ? imageDataResponse(data) : c.body(null, 204);
});
dataRoutes.all('/:id/file', onlyMethods('GET, PUT'));
