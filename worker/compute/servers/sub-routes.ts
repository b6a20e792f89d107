import { Hono } from 'hono';
import { z } from 'zod';
import { ApiError, badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { remoteConsole } from '../consoles/routes.ts';
import { actorOf, type ComputeContext, type ComputeEnv, renderingOf } from '../http/env.ts';
import { nextLink } from '../http/paging.ts';
import { isMetadataKey, metadata, TAGS_MAX, tag } from '../http/parameters.ts';
import { checkedBody } from '../http/validate.ts';
import { listInterfaces } from '../interfaces/find-interfaces.ts';
import { interfaceRoutes } from '../interfaces/routes.ts';
import { securityGroupView } from '../legacy/security-group-view.ts';
import { everyGroup } from '../legacy/security-groups.ts';
import { serverMigrationRoutes } from '../migrations/routes.ts';
import { policy } from '../policy.ts';
import { diagnosticsView, oldDiagnosticsView, serverDiagnostics } from './diagnostics.ts';
import { findServer } from './find-server.ts';
import { actionDetailView, actionView } from './instance-action-views.ts';
import { listActions, showAction } from './instance-actions.ts';
import { deleteMetadata, listMetadata, setMetadata, showMetadata } from './server-metadata.ts';
import { clearServerPassword, showServerPassword } from './server-password.ts';
import { addTag, checkTag, deleteTag, deleteTags, listTags, replaceTags } from './server-tags.ts';
import { addressesView } from './views.ts';

export const metadataBody = z.strictObject({ metadata });
export const metaBody = z.strictObject({
  meta: metadata.refine((items) => Object.keys(items).length === 1, 'One item is taken at a time.'),
});
export const tagsBody = z.strictObject({ tags: z.array(tag).max(TAGS_MAX) });

const idOf = (c: ComputeContext): string => c.req.param('id') ?? '';
const keyOf = (c: ComputeContext): string => c.req.param('key') ?? '';

/** What lies under one server: metadata, tags, addresses, and what was asked of it. */
export const subRoutes = new Hono<ComputeEnv>();

subRoutes.route('/migrations', serverMigrationRoutes);

subRoutes.get('/metadata', async (c) => c.json({ metadata: await listMetadata(actorOf(c), idOf(c)) }));
subRoutes.post('/metadata', async (c) => {
  const body = await checkedBody(c, metadataBody);
  return c.json({ metadata: await setMetadata(actorOf(c), idOf(c), body.metadata, 'create') });
});
subRoutes.put('/metadata', async (c) => {
  const body = await checkedBody(c, metadataBody);
  return c.json({ metadata: await setMetadata(actorOf(c), idOf(c), body.metadata, 'update_all') });
});
subRoutes.get('/metadata/:key', async (c) =>
  c.json({ meta: { [keyOf(c)]: await showMetadata(actorOf(c), idOf(c), keyOf(c)) } }),
);
subRoutes.put('/metadata/:key', async (c) => {
  const { meta } = await checkedBody(c, metaBody);
  if (!Object.hasOwn(meta, keyOf(c))) throw badRequest('Request body and URI mismatch');
  await setMetadata(actorOf(c), idOf(c), meta, 'update');
  return c.json({ meta });
});
subRoutes.delete('/metadata/:key', async (c) => {
  if (!isMetadataKey(keyOf(c))) throw notFound('Metadata item was not found');
  await deleteMetadata(actorOf(c), idOf(c), keyOf(c));
  return c.body(null, 204);
});

/** Tags came with 2.26. */
subRoutes.use('/tags/*', async (c, next) => {
  if (c.get('microversion') < 26) throw notFound('The resource could not be found.');
  await next();
});
subRoutes.get('/tags', async (c) => c.json({ tags: await listTags(actorOf(c), idOf(c)) }));
subRoutes.put('/tags', async (c) => {
  const { tags } = await checkedBody(c, tagsBody);
  return c.json({ tags: await replaceTags(actorOf(c), idOf(c), tags) });
});
subRoutes.delete('/tags', async (c) => {
  await deleteTags(actorOf(c), idOf(c));
  return c.body(null, 204);
});
subRoutes.get('/tags/:key', async (c) => {
  await checkTag(actorOf(c), idOf(c), keyOf(c));
  return c.body(null, 204);
});
subRoutes.put('/tags/:key', async (c) => {
  const isNew = await addTag(actorOf(c), idOf(c), keyOf(c));
  if (!isNew) return c.body(null, 204);
  return c.body(null, 201, { location: `${c.get('links').self}/servers/${idOf(c)}/tags/${keyOf(c)}` });
});
subRoutes.delete('/tags/:key', async (c) => {
  await deleteTag(actorOf(c), idOf(c), keyOf(c));
  return c.body(null, 204);
});

subRoutes.get('/ips', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:ips:index');
  return c.json({ addresses: addressesView(await findServer(ctx, idOf(c)), false) });
});
subRoutes.get('/ips/:key', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:ips:show');
  const addresses = addressesView(await findServer(ctx, idOf(c)), false)[keyOf(c)];
  if (!addresses) throw notFound('Instance is not a member of specified network');
  return c.json({ [keyOf(c)]: addresses });
});

/** Nova has removed it for good, in all versions. */
subRoutes.get('/os-virtual-interfaces', () => {
  throw new ApiError(410, 'This resource is no longer available. No forwarding address is given.');
});
subRoutes.route('/os-interface', interfaceRoutes);
subRoutes.post('/remote-consoles', remoteConsole);
subRoutes.get('/diagnostics', async (c) => {
  const { row, diagnostics } = await serverDiagnostics(actorOf(c), idOf(c));
  const nowMs = c.get('ctx').clock.nowMs();
  return c.json(
    c.get('microversion') < 48 ? oldDiagnosticsView(diagnostics) : diagnosticsView(row, diagnostics, nowMs),
  );
});
/** No guest is pinned to parts of its host. */
subRoutes.get('/topology', async (c) => {
  if (c.get('microversion') < 78) throw notFound('The resource could not be found.');
  authorize(actorOf(c), policy, 'compute:server:topology:index');
  await findServer(actorOf(c), idOf(c));
  return c.json({ nodes: [], pagesize_kb: null });
});
subRoutes.get('/os-security-groups', async (c) => {
  const ports = await listInterfaces(actorOf(c), idOf(c), 'os_compute_api:os-security-groups:list');
  const groups = await everyGroup(actorOf(c));
  const held = new Set(ports.flatMap((port) => port.groupIds));
  const own = groups.filter((group) => held.has(group.id));
  return c.json({ security_groups: own.map((group) => securityGroupView(group, groups)) });
});
/** There are no volumes to attach. */
subRoutes.get('/os-volume_attachments', async (c) => {
  authorize(actorOf(c), policy, 'os_compute_api:os-volumes-attachments:index');
  await findServer(actorOf(c), idOf(c));
  return c.json({ volumeAttachments: [] });
});
subRoutes.get('/os-server-password', async (c) => c.json({ password: await showServerPassword(actorOf(c), idOf(c)) }));
subRoutes.delete('/os-server-password', async (c) => {
  await clearServerPassword(actorOf(c), idOf(c));
  return c.body(null, 204);
});

subRoutes.get('/os-instance-actions', async (c) => {
  const query = c.req.queries();
  const rendering = renderingOf(c);
  const { rows, page } = await listActions(actorOf(c), idOf(c), { query, version: rendering.version });
  const collection = `servers/${idOf(c)}/os-instance-actions`;
  const ids = rows.map((row) => row.requestId);
  const links = page ? nextLink(rendering.links, collection, query, page, ids) : undefined;
  return c.json({ instanceActions: rows.map((row) => actionView(row, rendering)), ...(links ? { links } : {}) });
});
subRoutes.get('/os-instance-actions/:key', async (c) => {
  const rendering = renderingOf(c);
  const found = await showAction(actorOf(c), idOf(c), keyOf(c), rendering.version);
  return c.json({ instanceAction: actionDetailView(found, rendering) });
});
