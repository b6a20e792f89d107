import { Hono } from 'hono';
import { z } from 'zod';
import { parseBody } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { onlyMethods } from '../only-methods.ts';
import { authorizeImage } from '../policy.ts';
import { parseMetadef } from './bodies.ts';
import { createItem } from './create-item.ts';
import { createNamespace } from './create-namespace.ts';
import { createTags } from './create-tags.ts';
import { deleteItem, deleteItems } from './delete-items.ts';
import { deleteNamespace } from './delete-namespace.ts';
import { KINDS, type Kind } from './kinds.ts';
import { listItems } from './list-items.ts';
import { listNamespaces } from './list-namespaces.ts';
import { associate, dissociate, listAssociations, listResourceTypes } from './resource-types.ts';
import type { ItemRow } from './rows.ts';
import { showItem } from './show-item.ts';
import { showNamespace } from './show-namespace.ts';
import { updateItem } from './update-item.ts';
import { updateNamespace } from './update-namespace.ts';
import {
  associationView,
  namespacesView,
  namespaceView,
  objectView,
  propertyView,
  resourceTypeView,
  tagView,
  wholeNamespaceView,
} from './views.ts';

const anyJson = z.unknown();
const queryOf = (c: AppContext) => new URL(c.req.url).searchParams;
const ns = (c: AppContext) => c.req.param('ns') ?? '';
const named = (c: AppContext) => c.req.param('name') ?? '';

/** Definitions of metadata. Mounted at `/v2/metadefs`. */
export const metadefRoutes = new Hono<AppEnv>();

metadefRoutes.get('/resource_types', async (c) =>
  c.json({ resource_types: (await listResourceTypes(actorContext(c))).map(resourceTypeView) }),
);
metadefRoutes.all('/resource_types', onlyMethods('GET'));

metadefRoutes.get('/namespaces', async (c) =>
  c.json(namespacesView(await listNamespaces(actorContext(c), queryOf(c)), queryOf(c))),
);
metadefRoutes.post('/namespaces', async (c) => {
  const body = parseMetadef('namespace', await parseBody(c, anyJson));
  const row = await createNamespace(actorContext(c), body);
  const { resource_type_associations, properties, objects, tags } = body;
  const held = { resource_type_associations, properties, objects, tags };
  return c.json({ ...held, ...namespaceView(row) }, 201, { location: `/v2/metadefs/namespaces/${row.name}` });
});
metadefRoutes.all('/namespaces', onlyMethods('GET, POST'));
metadefRoutes.get('/namespaces/:ns', async (c) =>
  c.json(wholeNamespaceView(await showNamespace(actorContext(c), ns(c)), c.req.query('resource_type'))),
);
metadefRoutes.put('/namespaces/:ns', async (c) => {
  const body = parseMetadef('namespace', await parseBody(c, anyJson));
  return c.json(namespaceView(await updateNamespace(actorContext(c), ns(c), body)));
});
metadefRoutes.delete('/namespaces/:ns', async (c) => {
  await deleteNamespace(actorContext(c), ns(c));
  return c.body(null, 204);
});
metadefRoutes.all('/namespaces/:ns', onlyMethods('GET, PUT, DELETE'));

metadefRoutes.get('/namespaces/:ns/resource_types', async (c) =>
  c.json({ resource_type_associations: (await listAssociations(actorContext(c), ns(c))).map(associationView) }),
);
metadefRoutes.post('/namespaces/:ns/resource_types', async (c) => {
  const body = parseMetadef('resource_type_association', await parseBody(c, anyJson));
  return c.json(associationView(await associate(actorContext(c), ns(c), body)), 201);
});
metadefRoutes.all('/namespaces/:ns/resource_types', onlyMethods('GET, POST'));
metadefRoutes.delete('/namespaces/:ns/resource_types/:name', async (c) => {
  await dissociate(actorContext(c), ns(c), named(c));
  return c.body(null, 204);
});
metadefRoutes.all('/namespaces/:ns/resource_types/:name', onlyMethods('DELETE'));

metadefRoutes.get('/namespaces/:ns/objects', async (c) => {
  const rows = await listItems(actorContext(c), KINDS.object, ns(c), queryOf(c));
  return c.json({ objects: rows.map((row) => objectView(ns(c), row)), schema: 'v2/schemas/metadefs/objects' });
});
metadefRoutes.get('/namespaces/:ns/properties', async (c) => {
  const rows = await listItems(actorContext(c), KINDS.property, ns(c));
  return c.json({ properties: Object.fromEntries(rows.map((row) => [row.name, propertyView(row)])) });
});
metadefRoutes.get('/namespaces/:ns/tags', async (c) => {
  const rows = await listItems(actorContext(c), KINDS.tag, ns(c), queryOf(c));
  return c.json({ tags: rows.map(({ name }) => ({ name })) });
});
metadefRoutes.post('/namespaces/:ns/tags', async (c) => {
  const { tags = [] } = parseMetadef('tags', await parseBody(c, anyJson));
  const append = /^(1|t|true|on|y|yes)$/i.test(c.req.header('x-openstack-append')?.trim() ?? '');
  await createTags(
    actorContext(c),
    ns(c),
    tags.map((tag) => tag.name),
    append,
  );
  return c.json({ tags }, 201);
});
metadefRoutes.post('/namespaces/:ns/tags/:name', async (c) => {
  const body = parseMetadef('tag', { name: named(c) });
  return c.json(tagView(await createItem(actorContext(c), KINDS.tag, ns(c), body)), 201);
});

/** The property that a client names as it is called on resources of a type. @throws ApiError 403, 404 */
async function propertyName(c: AppContext): Promise<string> {
  const resourceType = c.req.query('resource_type');
  if (!resourceType) return named(c);
  authorizeImage(actorContext(c), 'get_metadef_resource_type');
  const associations = await listAssociations(actorContext(c), ns(c));
  const association = associations.find((one) => one.name === resourceType);
  if (!association) {
    throw notFound(
      `The metadata definition resource-type association of resource-type=${resourceType} to namespace=${ns(c)}, was not found.`,
    );
  }
  const prefix = String(association.body.prefix ?? '');
  if (prefix !== '' && named(c).startsWith(prefix)) return named(c).slice(prefix.length);
  throw notFound(
    `Property ${named(c)} does not start with the expected resource type association prefix of '${prefix}'.`,
  );
}

/** What objects, properties and tags have in common. */
function itemRoutes(kind: Kind, view: (c: AppContext, row: ItemRow) => object): void {
  const [all, one] = [`/namespaces/:ns/${kind.plural}`, `/namespaces/:ns/${kind.plural}/:name`];
  if (kind.kind !== 'tag') {
    metadefRoutes.post(all, async (c) => {
      const body = parseMetadef(kind.kind, await parseBody(c, anyJson));
      return c.json(view(c, await createItem(actorContext(c), kind, ns(c), body)), 201);
    });
  }
  metadefRoutes.delete(all, async (c) => {
    await deleteItems(actorContext(c), kind, ns(c));
    return c.body(null, 204);
  });
  metadefRoutes.all(all, onlyMethods('GET, POST, DELETE'));
  metadefRoutes.get(one, async (c) => {
    const name = kind.kind === 'property' ? await propertyName(c) : named(c);
    return c.json(view(c, await showItem(actorContext(c), kind, ns(c), name)));
  });
  metadefRoutes.put(one, async (c) => {
    const body = parseMetadef(kind.kind, await parseBody(c, anyJson));
    return c.json(view(c, await updateItem(actorContext(c), kind, ns(c), named(c), body)));
  });
  metadefRoutes.delete(one, async (c) => {
    await deleteItem(actorContext(c), kind, ns(c), named(c));
    return c.body(null, 204);
  });
  metadefRoutes.all(one, onlyMethods(kind.kind === 'tag' ? 'GET, POST, PUT, DELETE' : 'GET, PUT, DELETE'));
}
itemRoutes(KINDS.object, (c, row) => objectView(ns(c), row));
itemRoutes(KINDS.property, (_, row) => propertyView(row));
itemRoutes(KINDS.tag, (_, row) => tagView(row));
