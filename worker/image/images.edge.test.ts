import { SELF } from 'cloudflare:test';
import { describe, expect, it } from 'vitest';
import { call, ORIGIN } from '../../test/edge-client.ts';
import { type Actor, mintActor } from '../../test/edge-tokens.ts';
import { PROPERTIES_MAX } from './limits.ts';

type Image = Record<string, unknown> & { id: string };
type Page = { images: Image[]; first: string; next?: string; schema: string };

const PATCH = { 'content-type': 'application/openstack-images-v2.1-json-patch' };
const BARE = { disk_format: 'raw', container_format: 'bare' };

async function create(token: string, body: Record<string, unknown> = {}): Promise<Image> {
  const response = await call('POST', '/image/v2/images', { token, body });
  if (response.status !== 201) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}
const show = async (token: string, id: string): Promise<Image> =>
  (await call('GET', `/image/v2/images/${id}`, { token })).json();
const patch = (token: string, id: string, body: unknown, headers: Record<string, string> = PATCH) =>
  call('PATCH', `/image/v2/images/${id}`, { token, body, headers });
/** The images of one owner: other tests publish theirs meanwhile. */
async function list({ token, projectId }: Actor, query = ''): Promise<Page> {
  const response = await call('GET', `/image/v2/images?owner=${projectId}${query}`, { token });
  if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
  return response.json();
}
const names = ({ images }: Page) => images.map(({ name }) => name);

describe('versions', () => {
  it.each([
    ['', 300],
    ['/', 300],
    ['/v1', 300],
    ['/versions', 200],
  ])('of /image%s are given to anybody', async (path, status) => {
    const response = await call('GET', `/image${path}`);
    expect(response.status).toBe(status);
    const { versions } = (await response.json()) as { versions: { id: string; status: string; links: unknown }[] };
    expect(versions[0]).toEqual({
      id: 'v2.15',
      status: 'CURRENT',
      links: [{ rel: 'self', href: 'http://edge.test/image/v2/' }],
    });
  });
});

describe('creating an image', () => {
  it('answers with all of it', async () => {
    const { token, projectId } = await mintActor('member');
    const body = { name: 'cirros', min_disk: 1, min_ram: 64, tags: ['a', 'b', 'a'], os_command_line: 'ro', ...BARE };
    const response = await call('POST', '/image/v2/images', { token, body });
    const image = (await response.json()) as Image;
    expect(response.status).toBe(201);
    expect(response.headers.get('location')).toBe(`http://edge.test/image/v2/images/${image.id}`);
    expect(response.headers.get('openstack-image-import-methods')).toBe(
      'glance-direct,web-download,copy-image,glance-download',
    );
    expect(response.headers.get('openstack-image-store-ids')).toBe('aerostat');
    expect(image).toEqual({
      id: expect.stringMatching(/^[0-9a-f-]{36}$/),
      name: 'cirros',
      owner: projectId,
      status: 'queued',
      visibility: 'shared',
      protected: false,
      os_hidden: false,
      disk_format: 'raw',
      container_format: 'bare',
      min_disk: 1,
      min_ram: 64,
      size: null,
      virtual_size: null,
      checksum: null,
      os_hash_algo: null,
      os_hash_value: null,
      tags: ['a', 'b'],
      os_command_line: 'ro',
      created_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
      updated_at: image.created_at,
      self: `/v2/images/${image.id}`,
      file: `/v2/images/${image.id}/file`,
      schema: '/v2/schemas/image',
    });
    expect(await show(token, image.id)).toEqual(image);
  });

  it('takes the id that a client gives, once and for ever', async () => {
    const { token } = await mintActor('member');
    const id = crypto.randomUUID();
    expect((await create(token, { id: id.toUpperCase() })).id).toBe(id);
    expect((await call('POST', '/image/v2/images', { token, body: { id } })).status).toBe(409);
    expect((await call('DELETE', `/image/v2/images/${id}`, { token })).status).toBe(204);
    expect((await call('POST', '/image/v2/images', { token, body: { id } })).status).toBe(409);
  });

  it('keeps to the quota of properties', async () => {
    const { token } = await mintActor('member');
    const body = Object.fromEntries(Array.from({ length: PROPERTIES_MAX + 1 }, (_, at) => [`p${at}`, '']));
    expect((await call('POST', '/image/v2/images', { token, body })).status).toBe(413);
  });

  it.each([
    ['[]', 400],
    ['{', 400],
    ['', 400],
    ['{"name": 5}', 400],
    ['{"status": "active"}', 403],
  ])('refuses %s with %i', async (text, status) => {
    const { token } = await mintActor('member');
    const headers = { 'x-auth-token': token, 'content-type': 'application/json' };
    const response = await SELF.fetch(`${ORIGIN}/image/v2/images`, { method: 'POST', headers, body: text });
    await response.body?.cancel();
    expect(response.status).toBe(status);
  });
});

describe('faults', () => {
  it('come as HTML, JSON or text, as the client accepts', async () => {
    const { token } = await mintActor('member');
    const path = '/image/v2/images/no<b>such';
    const ask = (accept: string) => call('GET', path, { token, headers: { accept } });
    const html = await ask('*/*');
    expect(html.headers.get('content-type')).toMatch('text/html');
    expect(await html.text()).toMatch(
      /<title>404 Not Found<\/title>[\s\S]*No image found with ID no&#60;b&#62;such<br/,
    );
    const json = await ask('application/json');
    expect([json.status, await json.json()]).toEqual([
      404,
      { code: '404 Not Found', title: 'Not Found', message: 'No image found with ID no<b>such<br /><br />\n\n\n' },
    ]);
    const text = await ask('image/png');
    expect(await text.text()).toBe('404 Not Found\n\nNo image found with ID no<b>such\n\n\n');
  });

  it.each([
    ['GET', '/image/v2/nothing', 404],
    ['GET', '/image/v2/schemas/nothing', 404],
    ['POST', '/image/v2/info/stores', 405],
    ['GET', '/image/v2/images/', 404],
    ['DELETE', '/image/v2/images/', 404],
    ['DELETE', '/image/v2/images', 405],
    ['PUT', '/image/v2/images/x', 405],
    ['PUT', '/image/v2/images/x/stage', 415],
    ['GET', '/image/v2/images/x/stage', 405],
    ['GET', '/image/v2/images/x/import', 405],
    ['GET', '/image/v2/images/x/tasks', 404],
  ])('of %s %s is %i', async (method, path, status) => {
    const { token } = await mintActor('member');
    const response = await call(method, path, { token });
    await response.body?.cancel();
    expect(response.status).toBe(status);
  });
});

describe('what clients ask first', () => {
  it('is there: schemas and the methods of import', async () => {
    const { token } = await mintActor('reader');
    const image = (await (await call('GET', '/image/v2/schemas/image', { token })).json()) as {
      additionalProperties: unknown;
      properties: Record<string, unknown>;
    };
    expect(image.additionalProperties).toEqual({ type: 'string' });
    expect(image.properties.disk_format).toMatchObject({ enum: expect.arrayContaining([null, 'qcow2', 'raw']) });
    for (const name of ['images', 'member', 'members', 'task', 'tasks']) {
      expect(await (await call('GET', `/image/v2/schemas/${name}`, { token })).json()).toHaveProperty('name', name);
    }
    expect(await (await call('GET', '/image/v2/info/import', { token })).json()).toEqual({
      'import-methods': {
        description: 'Import methods available.',
        type: 'array',
        value: ['glance-direct', 'web-download', 'copy-image', 'glance-download'],
      },
    });
  });
});

describe('changing an image', () => {
  it('answers with the image as it is then', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token, { name: 'old', hw_disk_bus: 'ide' });
    const response = await patch(token, id, [
      { op: 'replace', path: '/name', value: 'new' },
      { op: 'add', path: '/os_distro', value: 'debian' },
      { op: 'remove', path: '/hw_disk_bus' },
      { op: 'replace', path: '/tags', value: ['t'] },
      { op: 'replace', path: '/os_hidden', value: true },
    ]);
    const changed = (await response.json()) as Image;
    expect(response.status).toBe(200);
    expect(changed).toMatchObject({ name: 'new', os_distro: 'debian', tags: ['t'], os_hidden: true });
    expect(changed).not.toHaveProperty('hw_disk_bus');
    expect(await show(token, id)).toEqual(changed);
  });

  it('is all or nothing', async () => {
    const { token } = await mintActor('member');
    const before = await create(token, { name: 'old' });
    const changes = [
      { op: 'replace', path: '/name', value: 'new' },
      { op: 'remove', path: '/missing' },
    ];
    expect((await patch(token, before.id, changes)).status).toBe(409);
    expect(await show(token, before.id)).toEqual(before);
  });

  it('needs its own media type', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    const response = await patch(token, id, [], { 'content-type': 'application/json' });
    await response.body?.cancel();
    expect(response.status).toBe(415);
    expect(response.headers.get('accept-patch')).toMatch('application/openstack-images-v2.1-json-patch');
  });

  it('loses nothing of changes that come together', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token);
    const properties = ['a', 'b', 'c', 'd'];
    const statuses = await Promise.all(
      properties.map(async (property) => {
        const response = await patch(token, id, [{ op: 'add', path: `/${property}`, value: property }]);
        await response.body?.cancel();
        return response.status;
      }),
    );
    const image = await show(token, id);
    expect(statuses).toEqual([200, 200, 200, 200]);
    expect(image).toMatchObject({ a: 'a', b: 'b', c: 'c', d: 'd' });
  });
});

describe('tags', () => {
  it('are added and removed one by one', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token, { tags: ['a'] });
    const tag = (method: string, name: string) =>
      call(method, `/image/v2/images/${id}/tags/${encodeURIComponent(name)}`, { token });
    expect((await tag('PUT', 'b/c d')).status).toBe(204);
    expect((await tag('PUT', 'a')).status).toBe(204);
    expect((await show(token, id)).tags).toEqual(['a', 'b/c d']);
    expect((await tag('DELETE', 'a')).status).toBe(204);
    expect((await tag('DELETE', 'a')).status).toBe(404);
    expect((await tag('PUT', 'x'.repeat(256))).status).toBe(400);
    expect((await show(token, id)).tags).toEqual(['b/c d']);
  });
});

describe('deleting an image', () => {
  it('makes it unknown', async () => {
    const actor = await mintActor('member');
    const { token } = actor;
    const { id } = await create(token);
    expect((await call('DELETE', `/image/v2/images/${id}`, { token })).status).toBe(204);
    for (const method of ['GET', 'DELETE']) {
      expect((await call(method, `/image/v2/images/${id}`, { token })).status).toBe(404);
    }
    expect((await list(actor)).images).toEqual([]);
  });

  it('is refused while it is protected', async () => {
    const { token } = await mintActor('member');
    const { id } = await create(token, { protected: true });
    const refused = await call('DELETE', `/image/v2/images/${id}`, { token });
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringContaining('is protected')]);
    await patch(token, id, [{ op: 'replace', path: '/protected', value: false }]);
    expect((await call('DELETE', `/image/v2/images/${id}`, { token })).status).toBe(204);
  });
});

describe('listing images', () => {
  it('filters', async () => {
    const actor = await mintActor('member');
    const { token } = actor;
    await create(token, { name: 'one', disk_format: 'raw', tags: ['x', 'y'], min_ram: 5, hw_disk_bus: 'virtio' });
    const two = await create(token, { name: 'two, too', disk_format: 'qcow2', tags: ['x'], protected: true });
    await create(token, { name: 'hid', os_hidden: true, visibility: 'private' });
    const filtered = async (query: string) => names(await list(actor, `&sort=name:asc&${query}`));
    expect(await filtered('')).toEqual(['one', 'two, too']);
    expect(await filtered('name=one')).toEqual(['one']);
    expect(await filtered(`name=${encodeURIComponent('in:one,"two, too"')}`)).toEqual(['one', 'two, too']);
    expect(await filtered(`id=in:${two.id},${crypto.randomUUID()}`)).toEqual(['two, too']);
    expect(await filtered('disk_format=qcow2')).toEqual(['two, too']);
    expect(await filtered('status=active')).toEqual([]);
    expect(await filtered('status=in:active,queued')).toEqual(['one', 'two, too']);
    expect(await filtered('tag=x&tag=y')).toEqual(['one']);
    expect(await filtered('protected=true')).toEqual(['two, too']);
    expect(await filtered('os_hidden=true')).toEqual(['hid']);
    expect(await filtered('os_hidden=True&visibility=private')).toEqual(['hid']);
    expect(await filtered('visibility=private')).toEqual([]);
    expect(await filtered('owner=nobody')).toEqual([]);
    expect(await filtered('hw_disk_bus=virtio')).toEqual(['one']);
    expect(await filtered('hw_disk_bus=ide')).toEqual([]);
    expect(await filtered('min_ram=5')).toEqual(['one']);
    expect(await filtered('min_ram_min=1')).toEqual(['one']);
    expect(await filtered('size_min=1')).toEqual([]);
    expect(await filtered(`created_at=${two.created_at}`)).toContain('two, too');
    expect(await filtered('created_at=gt:2020-01-01T00:00:00Z&updated_at=lte:2999-01-01')).toHaveLength(2);
    expect(await filtered('created_at=lt:2020-01-01T00:00:00Z')).toEqual([]);
  });

  it.each([
    'visibility=secret',
    'protected=yes',
    'os_hidden=1',
    'name=like:x',
    'name=in:"x',
    'created_at=never',
    'created_at=since:2020-01-01',
    'size_min=big',
    'changes-since=2020-01-01',
    'member_status=maybe',
    'limit=ten',
    'limit=-1',
    'sort_key=owner',
    `marker=${crypto.randomUUID()}`,
    Array.from({ length: 51 }, (_, at) => `tag=t${at}`).join('&'),
  ])('refuses %s', async (query) => {
    const { token } = await mintActor('member');
    const response = await call('GET', `/image/v2/images?${query}`, { token });
    await response.body?.cancel();
    expect(response.status).toBe(400);
  });

  it('pages through every image once, whatever it sorts by', async () => {
    const actor = await mintActor('member');
    const { token, projectId } = actor;
    for (const body of [{ name: 'b' }, {}, { name: 'a', ...BARE }, { name: 'b' }, { ...BARE }])
      await create(token, body);
    for (const sort of [
      'name:asc',
      'name:desc',
      'disk_format:asc,name:desc',
      'size:desc',
      'created_at:asc',
      'id:desc',
    ]) {
      const whole = await list(actor, `&sort=${sort}`);
      const paged: Image[] = [];
      let path: string | undefined = `/v2/images?owner=${projectId}&limit=2&sort=${sort}`;
      while (path) {
        const page: Page = await (await call('GET', `/image${path}`, { token })).json();
        expect(page.first).toBe(`/v2/images?owner=${projectId}&limit=2&sort=${encodeURIComponent(sort)}`);
        paged.push(...page.images);
        path = page.next;
      }
      expect(paged, sort).toEqual(whole.images);
      expect(paged, sort).toHaveLength(5);
    }
  });

  it('names no next page when there is none', async () => {
    const actor = await mintActor('member');
    const older = await create(actor.token);
    const newer = await create(actor.token);
    const page = await list(actor);
    expect(page.images.map(({ id }) => id).sort()).toEqual([older.id, newer.id].sort());
    expect(page).not.toHaveProperty('next');
    expect(page).toMatchObject({ first: `/v2/images?owner=${actor.projectId}`, schema: '/v2/schemas/images' });
    expect((await list(actor, '&limit=0')).images).toEqual([]);
  });
});
