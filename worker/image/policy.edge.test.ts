import { SELF } from 'cloudflare:test';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { type Call, castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';
import type { ImageAction } from './policy.ts';

const IMAGES = '/image/v2/images';
const OCTETS = { 'content-type': 'application/octet-stream' };
const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };

let owner: Actor;
let admin: Actor;

async function cast() {
  owner = await mintActor('member');
  admin = await mintActor('admin');
  return castAround(owner.projectId);
}

async function newImage(of: { data?: boolean; visibility?: string; of?: Actor } = {}): Promise<string> {
  const { data = false, visibility = 'private', of: { projectId } = owner } = of;
  const body = { owner: projectId, visibility, disk_format: 'raw', container_format: 'bare' };
  const made = await call('POST', IMAGES, { token: admin.token, body });
  const { id } = (await made.json()) as { id: string };
  if (data) {
    const headers = { 'x-auth-token': admin.token, ...OCTETS };
    await SELF.fetch(`${ORIGIN}${IMAGES}/${id}/file`, { method: 'PUT', headers, body: 'data' });
  }
  return id;
}

/** A call about an image of the owner's. */
const onImage =
  (method: string, path: string, rest: Partial<Call> = {}, of: Parameters<typeof newImage>[0] = {}) =>
  async (): Promise<Call> => ({ method, path: `${IMAGES}/${await newImage(of)}${path}`, ...rest });
const change = (path: string, value: string) => ({
  headers: PATCH,
  body: [{ op: 'replace', path, value }],
});
const shared = { visibility: 'shared' };
const community = { visibility: 'community' };
const open = { visibility: 'public' };
/** Whoever sees an image and may not do this is told so. */
const seen = { stranger: 403 };
const copied = { body: { method: { name: 'copy-image' }, all_stores: true } };
const METADEFS = '/image/v2/metadefs';

/** A call about a private namespace of the owner's project, which holds one of everything. */
const onNamespace = (method: string, path: string, body?: unknown) => async (): Promise<Call> => {
  const namespace = `ns-${crypto.randomUUID()}`;
  const property = { title: 'p', type: 'string' };
  const made = await call('POST', `${METADEFS}/namespaces`, {
    token: admin.token,
    body: {
      ...{ namespace, owner: owner.projectId, visibility: 'private', tags: [{ name: 't' }] },
      ...{ objects: [{ name: 'o' }], properties: { p: property } },
      resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'hw_' }],
    },
  });
  if (made.status !== 201) throw new Error(`the namespace: ${made.status} ${await made.text()}`);
  await made.body?.cancel();
  const sent = (body as { namespace?: string } | undefined)?.namespace === '' ? { namespace } : body;
  return { method, path: `${METADEFS}/namespaces/${namespace}${path}`, ...(sent === undefined ? {} : { body: sent }) };
};
const unseen = { stranger: 404 };
const newProperty = { name: 'q', title: 'q', type: 'string' };
const newNamespace = (more: object = {}) => ({
  method: 'POST',
  path: `${METADEFS}/namespaces`,
  body: { namespace: `ns-${crypto.randomUUID()}`, ...more },
});

const NOBODY = '00000000-0000-4000-8000-000000000000';

describePolicy<ImageAction>('image', cast, {
  add_image: [
    trial('member', 201, () => ({ method: 'POST', path: IMAGES, body: {} }), { stranger: 201 }),
    trial('admin', 201, () => ({ method: 'POST', path: IMAGES, body: { owner: 'somebody' } })),
  ],
  get_image: [
    trial('reader', 200, onImage('GET', '')),
    trial('reader', 200, onImage('GET', '', {}, { data: true, ...shared })),
    trial('reader', 200, onImage('GET', '', {}, community), { stranger: 200 }),
    trial('reader', 200, onImage('GET', '/tasks')),
  ],
  get_images: trial('reader', 200, () => ({ method: 'GET', path: IMAGES }), { stranger: 200 }),
  modify_image: [
    trial('member', 200, onImage('PATCH', '', change('/name', 'other'))),
    trial('member', 200, onImage('PATCH', '', change('/name', 'other'), open), seen),
    trial('admin', 200, onImage('PATCH', '', change('/owner', 'somebody')), { stranger: 404 }),
    trial('member', 204, onImage('PUT', '/tags/t', {}, open), seen),
    trial('member', 204, onImage('PUT', '/stage', { headers: OCTETS, body: 'data' })),
    trial('member', 400, onImage('POST', '/import', { body: { method: { name: 'web-download', uri: 'file:///' } } })),
  ],
  delete_image: [
    trial('member', 204, onImage('DELETE', '')),
    trial('member', 204, onImage('DELETE', '', {}, { data: true, ...open }), seen),
  ],
  upload_image: [
    trial('member', 204, onImage('PUT', '/file', { headers: OCTETS, body: 'data' })),
    trial('member', 204, onImage('PUT', '/file', { headers: OCTETS, body: 'data' }, open), seen),
  ],
  download_image: [
    trial('member', 200, onImage('GET', '/file', {}, { data: true })),
    trial('member', 200, onImage('GET', '/file', {}, { data: true, ...open }), { stranger: 200 }),
  ],
  publicize_image: [
    trial('admin', 201, () => ({ method: 'POST', path: IMAGES, body: { visibility: 'public' } })),
    trial('admin', 200, onImage('PATCH', '', change('/visibility', 'public')), { stranger: 404 }),
  ],
  communitize_image: trial('member', 200, onImage('PATCH', '', change('/visibility', 'community'))),
  deactivate: [
    trial('member', 204, onImage('POST', '/actions/deactivate', {}, { data: true })),
    trial('member', 204, onImage('POST', '/actions/deactivate', {}, { data: true, ...open }), seen),
  ],
  reactivate: trial('member', 204, onImage('POST', '/actions/reactivate', {}, { data: true })),
  add_member: trial('member', 200, onImage('POST', '/members', { body: { member: 'someone' } }, shared)),
  delete_member: trial('member', 204, async () => {
    const path = `${IMAGES}/${await newImage(shared)}/members`;
    await call('POST', path, { token: admin.token, body: { member: 'someone' } });
    return { method: 'DELETE', path: `${path}/someone` };
  }),
  // It is the member who says so, not the owner.
  modify_member: trial('member', 200, async () => {
    const path = `${IMAGES}/${await newImage({ ...shared, of: await mintActor('member') })}/members`;
    await call('POST', path, { token: admin.token, body: { member: owner.projectId } });
    return { method: 'PUT', path: `${path}/${owner.projectId}`, body: { status: 'accepted' } };
  }),
  copy_image: trial('admin', 202, onImage('POST', '/import', copied, { data: true, visibility: 'public' })),
  // An image without data is in no store, which admins alone are told.
  delete_image_location: trial('admin', 409, async () => ({
    method: 'DELETE',
    path: `/image/v2/stores/aerostat/${await newImage({ visibility: 'public' })}`,
  })),
  stores_info_detail: trial('admin', 200, () => ({ method: 'GET', path: '/image/v2/info/stores/detail' })),
  tasks_api_access: [
    trial('admin', 200, () => ({ method: 'GET', path: '/image/v2/tasks' })),
    trial('admin', 400, () => ({ method: 'POST', path: '/image/v2/tasks', body: { type: 'import' } })),
    trial('admin', 404, () => ({ method: 'GET', path: `/image/v2/tasks/${NOBODY}` })),
    trial('admin', 405, () => ({ method: 'DELETE', path: `/image/v2/tasks/${NOBODY}` })),
  ],
  // There is no cache; admins alone are told.
  cache_list: trial('admin', 404, () => ({ method: 'GET', path: '/image/v2/cache' })),
  cache_delete: [
    trial('admin', 404, () => ({ method: 'DELETE', path: '/image/v2/cache' })),
    trial('admin', 404, () => ({ method: 'DELETE', path: `/image/v2/cache/${NOBODY}` })),
  ],
  get_metadef_namespaces: trial('reader', 200, () => ({ method: 'GET', path: `${METADEFS}/namespaces` }), {
    stranger: 200,
  }),
  get_metadef_namespace: trial('reader', 200, onNamespace('GET', '')),
  add_metadef_namespace: trial('admin', 201, () => newNamespace()),
  modify_metadef_namespace: trial('admin', 200, onNamespace('PUT', '', { namespace: '' }), unseen),
  delete_metadef_namespace: [
    trial('admin', 204, onNamespace('DELETE', ''), unseen),
    trial('admin', 204, onNamespace('DELETE', '/objects'), unseen),
    trial('admin', 204, onNamespace('DELETE', '/properties'), unseen),
  ],
  get_metadef_object: trial('reader', 200, onNamespace('GET', '/objects/o')),
  get_metadef_objects: trial('reader', 200, onNamespace('GET', '/objects')),
  add_metadef_object: trial('admin', 201, onNamespace('POST', '/objects', { name: 'other' }), unseen),
  modify_metadef_object: trial('admin', 200, onNamespace('PUT', '/objects/o', { name: 'other' }), unseen),
  delete_metadef_object: trial('admin', 204, onNamespace('DELETE', '/objects/o'), unseen),
  list_metadef_resource_types: [
    trial('reader', 200, () => ({ method: 'GET', path: `${METADEFS}/resource_types` }), { stranger: 200 }),
    trial('reader', 200, onNamespace('GET', '/resource_types')),
  ],
  get_metadef_resource_type: trial(
    'reader',
    200,
    onNamespace('GET', '/properties/hw_p?resource_type=OS::Glance::Image'),
  ),
  add_metadef_resource_type_association: trial(
    'admin',
    201,
    onNamespace('POST', '/resource_types', { name: 'OS::Nova::Flavor' }),
    unseen,
  ),
  remove_metadef_resource_type_association: trial(
    'admin',
    204,
    onNamespace('DELETE', '/resource_types/OS::Glance::Image'),
    unseen,
  ),
  get_metadef_property: trial('reader', 200, onNamespace('GET', '/properties/p')),
  get_metadef_properties: trial('reader', 200, onNamespace('GET', '/properties')),
  add_metadef_property: [
    trial('admin', 201, onNamespace('POST', '/properties', newProperty), unseen),
    trial('admin', 201, () => newNamespace({ properties: { p: { title: 'p', type: 'string' } } })),
  ],
  modify_metadef_property: trial('admin', 200, onNamespace('PUT', '/properties/p', newProperty), unseen),
  remove_metadef_property: trial('admin', 204, onNamespace('DELETE', '/properties/p'), unseen),
  get_metadef_tag: trial('reader', 200, onNamespace('GET', '/tags/t')),
  get_metadef_tags: trial('reader', 200, onNamespace('GET', '/tags')),
  add_metadef_tag: trial('admin', 201, onNamespace('POST', '/tags/other'), unseen),
  add_metadef_tags: trial('admin', 201, onNamespace('POST', '/tags', { tags: [{ name: 'other' }] }), unseen),
  modify_metadef_tag: trial('admin', 200, onNamespace('PUT', '/tags/t', { name: 'other' }), unseen),
  delete_metadef_tag: trial('admin', 204, onNamespace('DELETE', '/tags/t'), unseen),
  delete_metadef_tags: trial('admin', 204, onNamespace('DELETE', '/tags'), unseen),
  cache_image: trial('admin', 404, () => ({ method: 'PUT', path: `/image/v2/cache/${NOBODY}` })),
});
