import { Hono } from 'hono';
import { badRequest, notFound } from '../../http/errors.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { check, checkedBody, readBody } from '../http/validate.ts';
import { novaTime } from '../servers/views.ts';
import { addHost, removeHost } from './aggregate-hosts.ts';
import { type AggregateRow, aggregateId } from './aggregate-rows.ts';
import {
  createAggregate,
  deleteAggregate,
  listAggregates,
  setAggregateMetadata,
  showAggregate,
  updateAggregate,
} from './aggregates.ts';
import { cacheImages } from './cache-images.ts';
import {
  addHostBody,
  cacheImagesBody,
  createAggregateBody,
  removeHostBody,
  setMetadataBody,
  updateAggregateBody,
} from './schemas.ts';

/** `/os-aggregates`: machines in groups. */
export const aggregateRoutes = new Hono<ComputeEnv>();

const idOf = (c: ComputeContext) => aggregateId(c.req.param('id') ?? '');

/** The answer to a create has neither machines nor metadata. */
function createdView(c: ComputeContext, row: AggregateRow) {
  const metadata = JSON.parse(row.metadata) as Record<string, string>;
  return {
    id: row.id,
    ...(c.get('microversion') >= 41 ? { uuid: row.uuid } : {}),
    name: row.name,
    availability_zone: metadata.availability_zone ?? null,
    created_at: novaTime(row.createdAtMs),
    updated_at: row.updatedAtMs === null ? null : novaTime(row.updatedAtMs),
    deleted: false,
    deleted_at: null,
  };
}
const aggregateView = (c: ComputeContext, row: AggregateRow) => ({
  ...createdView(c, row),
  hosts: JSON.parse(row.hosts) as string[],
  metadata: JSON.parse(row.metadata) as Record<string, string>,
});

aggregateRoutes.get('/', async (c) => {
  const rows = await listAggregates(actorOf(c));
  return c.json({ aggregates: rows.map((row) => aggregateView(c, row)) });
});

aggregateRoutes.post('/', async (c) => {
  const { name, availability_zone: zone = null } = (await checkedBody(c, createAggregateBody)).aggregate;
  return c.json({ aggregate: createdView(c, await createAggregate(actorOf(c), { name, zone })) });
});

aggregateRoutes.get('/:id', async (c) =>
  c.json({ aggregate: aggregateView(c, await showAggregate(actorOf(c), idOf(c))) }),
);

aggregateRoutes.put('/:id', async (c) => {
  const { name, availability_zone: zone } = (await checkedBody(c, updateAggregateBody)).aggregate;
  return c.json({ aggregate: aggregateView(c, await updateAggregate(actorOf(c), idOf(c), { name, zone })) });
});

aggregateRoutes.delete('/:id', async (c) => {
  await deleteAggregate(actorOf(c), idOf(c));
  return c.body(null);
});

type Handler = (c: ComputeContext, body: unknown) => Promise<AggregateRow>;
const ACTIONS: Readonly<Record<string, Handler>> = {
  add_host: (c, body) => addHost(actorOf(c), idOf(c), check(body, addHostBody).add_host.host),
  remove_host: (c, body) => removeHost(actorOf(c), idOf(c), check(body, removeHostBody).remove_host.host),
  set_metadata: (c, body) =>
    setAggregateMetadata(actorOf(c), idOf(c), check(body, setMetadataBody).set_metadata.metadata),
};

aggregateRoutes.post('/:id/action', async (c) => {
  const body = await readBody(c);
  const [name = '', ...more] = Object.keys((body as object | null) ?? {});
  if (more.length > 0) throw badRequest('Malformed request body');
  const handler = Object.hasOwn(ACTIONS, name) ? ACTIONS[name] : undefined;
  if (!handler) throw badRequest(`There is no such action: ${name}`);
  return c.json({ aggregate: aggregateView(c, await handler(c, body)) });
});

aggregateRoutes.post('/:id/images', async (c) => {
  if (c.get('microversion') < 81) throw notFound('The resource could not be found.');
  const { cache } = await checkedBody(c, cacheImagesBody);
  await cacheImages(
    actorOf(c),
    idOf(c),
    cache.map((image) => image.id),
  );
  return c.body(null, 202);
});
