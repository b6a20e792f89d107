import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { z } from 'zod';
import { badRequest, notFound } from '../../http/errors.ts';
import { deleteImage } from '../../image/delete-image.ts';
import type { ImageRow } from '../../image/views.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { linksOf } from '../http/links.ts';
import { nextLink, pageOf } from '../http/paging.ts';
import { metadata } from '../http/parameters.ts';
import { checkedBody } from '../http/validate.ts';
import { isoTime } from '../servers/views.ts';
import { IMAGE_METADATA_UNTIL, PROXIES_UNTIL } from './gone.ts';
import { deleteImageMetadata, findNovaImage, listNovaImages, setImageMetadata, statusOf } from './images.ts';

/** `/images`: the image service's images as Nova showed them until 2.35, and their metadata until 2.38. */
export const imageRoutes = new Hono<ComputeEnv>();

const until = (version: number) =>
  createMiddleware<ComputeEnv>(async (c, next) => {
    if (c.get('microversion') > version) throw notFound('The resource could not be found.');
    await next();
  });
const proxied = until(PROXIES_UNTIL);
const described = until(IMAGE_METADATA_UNTIL);

function linksOfImage(c: ComputeContext, id: string) {
  const { links } = renderingOf(c);
  const alternate = `${c.get('ctx').baseUrl}/image/images/${id}`;
  return [
    ...linksOf(links, 'images', id),
    { rel: 'alternate', type: 'application/vnd.openstack.image', href: alternate },
  ];
}
const briefView = (c: ComputeContext, row: ImageRow) => ({
  id: row.id,
  name: row.name,
  links: linksOfImage(c, row.id),
});

function imageView(c: ComputeContext, row: ImageRow) {
  const { auto_disk_config: diskConfig, instance_uuid: server } = row.properties;
  const status = statusOf(row);
  return {
    ...briefView(c, row),
    minRam: row.minRamMib,
    minDisk: row.minDiskGib,
    metadata: row.properties,
    created: isoTime(row.createdAtMs),
    updated: isoTime(row.updatedAtMs),
    status,
    progress: status === 'ACTIVE' ? 100 : status === 'SAVING' ? 25 : 0,
    'OS-EXT-IMG-SIZE:size': row.sizeBytes,
    ...(diskConfig === undefined ? {} : { 'OS-DCF:diskConfig': /^true$/i.test(diskConfig) ? 'AUTO' : 'MANUAL' }),
    ...(server === undefined
      ? {}
      : { server: { id: server, links: linksOf(renderingOf(c).links, 'servers', server) } }),
  };
}

for (const [path, view] of [
  ['', briefView],
  ['/detail', imageView],
] as const) {
  imageRoutes.get(path === '' ? '/' : path, proxied, async (c) => {
    const query = c.req.queries();
    const rows = await listNovaImages(actorOf(c), query);
    const ids = rows.map((row) => row.id);
    const next = nextLink(c.get('links'), `images${path}`, query, pageOf(query), ids);
    return c.json({ images: rows.map((row) => view(c, row)), ...(next ? { images_links: next } : {}) });
  });
}

const idOf = (c: ComputeContext) => c.req.param('id') ?? '';

imageRoutes.get('/:id', proxied, async (c) =>
  c.json({ image: imageView(c, await findNovaImage(actorOf(c), idOf(c))) }),
);

imageRoutes.delete('/:id', proxied, async (c) => {
  const ctx = actorOf(c);
  const { id } = await findNovaImage(ctx, idOf(c));
  await deleteImage(ctx, id);
  return c.body(null, 204);
});

export const itemsBody = z.strictObject({ metadata });
export const itemBody = z.strictObject({ meta: metadata });

imageRoutes.get('/:id/metadata', described, async (c) =>
  c.json({ metadata: (await findNovaImage(actorOf(c), idOf(c))).properties }),
);
imageRoutes.post('/:id/metadata', described, async (c) => {
  const items = (await checkedBody(c, itemsBody)).metadata;
  return c.json({ metadata: await setImageMetadata(actorOf(c), idOf(c), items, { replace: false }) });
});
imageRoutes.put('/:id/metadata', described, async (c) => {
  const items = (await checkedBody(c, itemsBody)).metadata;
  return c.json({ metadata: await setImageMetadata(actorOf(c), idOf(c), items, { replace: true }) });
});

imageRoutes.get('/:id/metadata/:key', described, async (c) => {
  const key = c.req.param('key');
  const { properties } = await findNovaImage(actorOf(c), idOf(c));
  if (!Object.hasOwn(properties, key)) throw notFound('Metadata item was not found');
  return c.json({ meta: { [key]: properties[key] } });
});
imageRoutes.put('/:id/metadata/:key', described, async (c) => {
  const { meta } = await checkedBody(c, itemBody);
  const key = c.req.param('key');
  if (!Object.hasOwn(meta, key)) throw badRequest('Request body and URI mismatch');
  if (Object.keys(meta).length > 1) throw badRequest('Request body contains too many items');
  await setImageMetadata(actorOf(c), idOf(c), meta, { replace: false });
  return c.json({ meta });
});
imageRoutes.delete('/:id/metadata/:key', described, async (c) => {
  await deleteImageMetadata(actorOf(c), idOf(c), c.req.param('key'));
  return c.body(null, 204);
});
