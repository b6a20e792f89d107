import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../http/context.ts';
import { ApiError, badRequest, notFound } from '../http/errors.ts';
import { downloadImage } from './download-image.ts';
import { imageDataResponse } from './image-data.ts';
import { uploadImage } from './upload-image.ts';

/** An image's data, both ways. Mounted where images are. */
export const dataRoutes = new Hono<AppEnv>();

dataRoutes.put('/:id/file', async (c) => {
  checkOctetStream(c);
  await uploadImage(actorContext(c), c.req.param('id'), {
    body: c.req.raw.body ?? emptyBody(),
    contentLength: byteCount(c, 'content-length'),
    declaredBytes: byteCount(c, 'x-openstack-image-size'),
  });
  return c.body(null, 204);
});
dataRoutes.get('/:id/file', async (c) => {
  const data = await downloadImage(actorContext(c), c.req.param('id'), c.req.header('range'));
  return data ? imageDataResponse(data) : c.body(null, 204);
});
dataRoutes.all('/:id/file', () => {
  throw new ApiError(405, 'The method specified is not allowed for this resource.', { headers: { allow: 'GET, PUT' } });
});
dataRoutes.put('/:id/stage', () => {
  throw notFound("'glance-direct' method is not available at this site.");
});

function checkOctetStream(c: AppContext): void {
  const type = c.req.header('content-type')?.split(';')[0]?.trim().toLowerCase();
  if (type !== 'application/octet-stream') {
    throw new ApiError(415, `Invalid content type ${type ?? 'None'}: image data is application/octet-stream.`);
  }
}

function byteCount(c: AppContext, header: string): number | undefined {
  const text = c.req.header(header);
  if (text === undefined) return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest('Invalid or missing image size in request headers.');
  return Number(text);
}

function emptyBody(): ReadableStream<Uint8Array> {
  return new Blob([]).stream();
}
