import { describe, expect, it } from 'vitest';
import { call } from '../../../test/edge-client.ts';
import { type Actor, mintActor } from '../../../test/edge-tokens.ts';
import { METADEF_ITEMS_MAX } from '../limits.ts';

const METADEFS = '/image/v2/metadefs';
const NAMESPACES = `${METADEFS}/namespaces`;
const MOMENT = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
const newName = () => `OS::Test::${crypto.randomUUID()}`;

interface Answer {
  status: number;
  // biome-ignore lint/suspicious/noExplicitAny: whatever JSON the service answers with
  body: any;
  text: string;
}

/** An admin's calls about namespaces, each answered with status and JSON. */
async function stage() {
  const admin = await mintActor('admin');
  const ask =
    (actor: Actor) =>
    async (method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<Answer> => {
      const response = await call(method, `${METADEFS}${path}`, { token: actor.token, body, headers });
      const text = await response.text();
      return { status: response.status, text, body: text.startsWith('{') ? JSON.parse(text) : undefined };
    };
  const as = ask(admin);
  const create = async (more: object = {}): Promise<string> => {
    const namespace = newName();
    const { status, text } = await as('POST', '/namespaces', { namespace, ...more });
    if (status !== 201) throw new Error(`${status} ${text}`);
    return namespace;
  };
  return { admin, as, ask, create };
}

const CPU = { title: 'Cores', type: 'integer', minimum: 1, description: 'How many' };
const WHOLE = {
  display_name: 'Test',
  description: 'For a test',
  visibility: 'public',
  resource_type_associations: [{ name: 'OS::Glance::Image', prefix: 'hw_', properties_target: 'image' }],
  properties: { cores: CPU },
  objects: [
    { name: 'disk', description: 'A disk', required: ['bus'], properties: { bus: { title: 'Bus', type: 'string' } } },
  ],
  tags: [{ name: 'one' }, { name: 'two' }],
};

describe('a namespace', () => {
  it('is made with all that it holds', async () => {
    const { as, admin } = await stage();
    const namespace = newName();
    const made = await as('POST', '/namespaces', { namespace, ...WHOLE });
    const base = {
      ...{ namespace, display_name: 'Test', description: 'For a test', visibility: 'public', protected: false },
      ...{ owner: admin.projectId, created_at: MOMENT, updated_at: MOMENT },
      ...{ self: `/v2/metadefs/namespaces/${namespace}`, schema: '/v2/schemas/metadefs/namespace' },
    };
    expect([made.status, made.body]).toEqual([201, { ...WHOLE, ...base }]);
    const shown = await as('GET', `/namespaces/${namespace}`);
    const times = { created_at: MOMENT, updated_at: MOMENT };
    expect(shown.body).toEqual({
      ...base,
      resource_type_associations: [{ ...WHOLE.resource_type_associations[0], ...times }],
      properties: { cores: CPU },
      objects: [
        {
          ...WHOLE.objects[0],
          ...times,
          self: `/v2/metadefs/namespaces/${namespace}/objects/disk`,
          schema: '/v2/schemas/metadefs/object',
        },
      ],
      tags: expect.arrayContaining([{ name: 'one' }, { name: 'two' }]),
    });
    const prefixed = await as('GET', `/namespaces/${namespace}?resource_type=OS::Glance::Image`);
    expect(prefixed.body.properties).toEqual({ hw_cores: CPU });
    expect(prefixed.body.objects[0]).toMatchObject({ required: ['hw_bus'], properties: { hw_bus: { title: 'Bus' } } });
  });

  it('has a name of its own', async () => {
    const { as, create } = await stage();
    const [namespace, other] = [await create(), await create()];
    const again = await as('POST', '/namespaces', { namespace });
    expect([again.status, again.text]).toEqual([409, expect.stringContaining(`namespace=${namespace} already exists`)]);
    expect((await as('PUT', `/namespaces/${other}`, { namespace })).status).toBe(409);
  });

  it('is changed as a whole, what it holds aside', async () => {
    const { as, create } = await stage();
    const [namespace, renamed] = [await create(WHOLE), newName()];
    const changed = await as('PUT', `/namespaces/${namespace}`, { namespace: renamed, visibility: 'public' });
    expect(changed.body).toMatchObject({ namespace: renamed, visibility: 'public' });
    expect(changed.body).not.toHaveProperty('description');
    expect((await as('GET', `/namespaces/${namespace}`)).status).toBe(404);
    expect((await as('GET', `/namespaces/${renamed}`)).body.properties).toEqual({ cores: CPU });
  });

  it('can be sent back as it was shown, but for what is its own', async () => {
    const { as, create } = await stage();
    const namespace = await create(WHOLE);
    const { self, schema, created_at, updated_at, ...shown } = (await as('GET', `/namespaces/${namespace}`)).body;
    expect([self, schema, created_at, updated_at]).not.toContain(undefined);
    expect((await as('PUT', `/namespaces/${namespace}`, { ...shown, protected: true })).status).toBe(200);
    expect((await as('GET', `/namespaces/${namespace}`)).body).toMatchObject({ ...shown, protected: true });
  });

  it('keeps all that it holds while it is protected', async () => {
    const { as, create } = await stage();
    const namespace = await create({ ...WHOLE, protected: true });
    const things = ['', '/objects', '/properties', '/tags', '/objects/disk', '/properties/cores', '/tags/one'];
    for (const path of [...things, '/resource_types/OS::Glance::Image']) {
      const { status, text } = await as('DELETE', `/namespaces/${namespace}${path}`);
      expect([path, status, text]).toEqual([path, 403, expect.stringMatching(/is protected and cannot be deleted/)]);
    }
    await as('PUT', `/namespaces/${namespace}`, { namespace, protected: false });
    expect((await as('DELETE', `/namespaces/${namespace}`)).status).toBe(204);
    expect((await as('GET', `/namespaces/${namespace}`)).status).toBe(404);
    expect((await as('POST', '/namespaces', { namespace })).body).not.toHaveProperty('tags');
  });

  it('is seen by others when it is public', async () => {
    const { admin, ask, create } = await stage();
    const [open, secret] = [await create({ visibility: 'public' }), await create()];
    const stranger = ask(await mintActor('reader'));
    const insider = ask(await mintActor('reader', admin.projectId));
    const statusOf = async (as: typeof stranger, name: string) => (await as('GET', `/namespaces/${name}`)).status;
    expect([await statusOf(stranger, open), await statusOf(stranger, secret)]).toEqual([200, 404]);
    expect([await statusOf(insider, open), await statusOf(insider, secret)]).toEqual([200, 200]);
    const names = async (as: typeof stranger) =>
      (await as('GET', '/namespaces?limit=1000')).body.namespaces.map((one: { namespace: string }) => one.namespace);
    expect(await names(stranger)).toContain(open);
    expect(await names(stranger)).not.toContain(secret);
    expect(await names(insider)).toEqual(expect.arrayContaining([open, secret]));
  });

  it.each([
    [{}, 400, /namespace/],
    [{ namespace: 'x'.repeat(81) }, 400, /80/],
    [{ namespace: 'x', visibility: 'shared' }, 400, /visibility/],
    [{ namespace: 'x', colour: 'red' }, 400, /colour/],
    [{ namespace: 'x', properties: { p: { title: 'p' } } }, 400, /type/],
    [{ namespace: 'x', properties: { p: { title: 'p', type: 'text' } } }, 400, /type/],
    [{ namespace: 'x', created_at: '2020-01-01T00:00:00Z' }, 403, /read-only/],
  ])('of %j is refused', async (body, status, message) => {
    const { as } = await stage();
    const refused = await as('POST', '/namespaces', body);
    expect([refused.status, refused.text]).toEqual([status, expect.stringMatching(message)]);
  });

  it('is refused whole when one of what it holds is there twice', async () => {
    const { as } = await stage();
    const namespace = newName();
    const twice = { namespace, tags: [{ name: 'a' }, { name: 'a' }] };
    expect((await as('POST', '/namespaces', twice)).status).toBe(409);
    expect((await as('GET', `/namespaces/${namespace}`)).status).toBe(404);
  });

  it('holds no more than it may', async () => {
    const { as, create } = await stage();
    const tags = Array.from({ length: METADEF_ITEMS_MAX }, (_, at) => ({ name: `t${at}` }));
    const namespace = await create({ tags });
    expect((await as('POST', `/namespaces/${namespace}/tags/more`)).status).toBe(413);
    expect((await as('DELETE', `/namespaces/${namespace}/tags/t0`)).status).toBe(204);
    expect((await as('POST', `/namespaces/${namespace}/tags/more`)).status).toBe(201);
  });
});

describe('a list of namespaces', () => {
  it('comes in pages, in the order that is asked for', async () => {
    const { as, create } = await stage();
    const type = `OS::Test::${crypto.randomUUID()}`;
    const names: string[] = [];
    for (let at = 0; at < 3; at += 1) {
      names.push(await create({ resource_type_associations: [{ name: type }] }));
    }
    names.sort();
    const query = `?limit=2&sort_key=namespace&sort_dir=asc&resource_types=${type},OS::None`;
    const first = (await as('GET', `/namespaces${query}`)).body;
    expect(first.namespaces.map((one: { namespace: string }) => one.namespace)).toEqual(names.slice(0, 2));
    expect(first.namespaces[0].resource_type_associations).toEqual([
      { name: type, created_at: MOMENT, updated_at: MOMENT },
    ]);
    expect(first.schema).toBe('/v2/schemas/metadefs/namespaces');
    const next = (await as('GET', first.next.slice('/v2/metadefs'.length))).body;
    expect(next.namespaces.map((one: { namespace: string }) => one.namespace)).toEqual(names.slice(2));
    expect(next).not.toHaveProperty('next');
    expect((await as('GET', '/resource_types')).body.resource_types).toEqual(
      expect.arrayContaining([{ name: type, created_at: MOMENT, updated_at: MOMENT }]),
    );
  });

  it.each([
    ['limit=x', 400],
    ['limit=-1', 400],
    ['sort_dir=up', 400],
    ['sort_key=secret', 400],
    ['visibility=shared', 400],
    ['marker=nothing', 404],
  ])('is refused with ?%s', async (query, status) => {
    const { as } = await stage();
    expect((await as('GET', `/namespaces?${query}`)).status).toBe(status);
  });
});

describe.each([
  ['objects', { name: 'a', description: 'first' }, { name: 'b', required: ['x'] }],
  ['properties', { name: 'a', ...CPU }, { name: 'b', title: 'B', type: 'string', enum: ['x', 'y'] }],
])('%s', (plural, first, second) => {
  it('are made, shown, changed, listed and deleted', async () => {
    const { as, create } = await stage();
    const path = `/namespaces/${await create()}/${plural}`;
    const made = await as('POST', path, first);
    expect([made.status, made.body]).toEqual([201, expect.objectContaining(first)]);
    expect((await as('POST', path, first)).status).toBe(409);
    expect((await as('GET', `${path}/a`)).body).toEqual(made.body);
    const changed = await as('PUT', `${path}/a`, second);
    expect([changed.status, changed.body]).toEqual([200, expect.objectContaining(second)]);
    expect(changed.body).not.toHaveProperty('description');
    expect((await as('GET', `${path}/a`)).status).toBe(404);
    await as('POST', path, first);
    expect((await as('PUT', `${path}/a`, second)).status).toBe(409);
    const listed = (await as('GET', path)).body[plural];
    expect(
      (Array.isArray(listed) ? listed : Object.values(listed)).map((one: { name: string }) => one.name).sort(),
    ).toEqual(['a', 'b']);
    expect((await as('DELETE', `${path}/a`)).status).toBe(204);
    expect((await as('DELETE', `${path}/a`)).status).toBe(404);
    expect((await as('DELETE', path)).status).toBe(204);
    expect((await as('GET', `${path}/b`)).status).toBe(404);
    expect((await as('PATCH', path)).status).toBe(405);
    expect((await as('POST', `${path}/b`, {})).status).toBe(405);
  });
});

describe('tags', () => {
  it('are made one by one, and renamed', async () => {
    const { as, create } = await stage();
    const path = `/namespaces/${await create()}/tags`;
    const made = await as('POST', `${path}/a`);
    expect([made.status, made.body]).toEqual([201, { name: 'a', created_at: MOMENT, updated_at: MOMENT }]);
    expect((await as('POST', `${path}/a`)).status).toBe(409);
    expect((await as('POST', `${path}/${'x'.repeat(81)}`)).status).toBe(400);
    expect((await as('PUT', `${path}/a`, { name: 'b' })).body.name).toBe('b');
    expect((await as('DELETE', `${path}/b`)).status).toBe(204);
  });

  it('are replaced together, or added to', async () => {
    const { as, create } = await stage();
    const path = `/namespaces/${await create({ tags: [{ name: 'old' }] })}/tags`;
    const names = async (query = '') =>
      (await as('GET', `${path}${query}`)).body.tags.map((tag: { name: string }) => tag.name);
    const made = await as('POST', path, { tags: [{ name: 'a' }, { name: 'b' }] });
    expect([made.status, made.body]).toEqual([201, { tags: [{ name: 'a' }, { name: 'b' }] }]);
    expect(await names('?sort_key=name&sort_dir=asc')).toEqual(['a', 'b']);
    await as('POST', path, { tags: [{ name: 'c' }] }, { 'x-openstack-append': 'True' });
    expect(await names('?sort_key=name&sort_dir=asc')).toEqual(['a', 'b', 'c']);
    expect(await names('?sort_key=name&sort_dir=asc&limit=1&marker=a')).toEqual(['b']);
    expect((await as('GET', `${path}?marker=none`)).status).toBe(404);
    const clash = await as('POST', path, { tags: [{ name: 'a' }] }, { 'x-openstack-append': 'true' });
    expect(clash.status).toBe(409);
    expect((await as('DELETE', path)).status).toBe(204);
    expect(await names()).toEqual([]);
  });
});

describe('types of resources', () => {
  it('are associated with a namespace and no longer', async () => {
    const { as, create } = await stage();
    const path = `/namespaces/${await create()}/resource_types`;
    const made = await as('POST', path, { name: 'OS::Nova::Flavor', prefix: 'hw:' });
    const association = { name: 'OS::Nova::Flavor', prefix: 'hw:', created_at: MOMENT, updated_at: MOMENT };
    expect([made.status, made.body]).toEqual([201, association]);
    expect((await as('POST', path, { name: 'OS::Nova::Flavor' })).status).toBe(409);
    expect((await as('GET', path)).body).toEqual({ resource_type_associations: [association] });
    expect((await as('DELETE', `${path}/OS::Nova::Flavor`)).status).toBe(204);
    const gone = await as('DELETE', `${path}/OS::Nova::Flavor`);
    expect([gone.status, gone.text]).toEqual([404, expect.stringMatching(/Failed to find resource type/)]);
    const names = (await as('GET', '/resource_types')).body.resource_types.map((one: { name: string }) => one.name);
    expect(names).toEqual(expect.arrayContaining(['OS::Glance::Image', 'OS::Nova::Flavor']));
    expect(new Set(names).size).toBe(names.length);
  });

  it('give properties their prefix', async () => {
    const { as, create } = await stage();
    const path = `/namespaces/${await create(WHOLE)}/properties`;
    const type = 'resource_type=OS::Glance::Image';
    expect((await as('GET', `${path}/hw_cores?${type}`)).body).toEqual({ ...CPU, name: 'cores' });
    expect((await as('GET', `${path}/cores?${type}`)).status).toBe(404);
    expect((await as('GET', `${path}/hw_cores?resource_type=OS::None`)).status).toBe(404);
  });
});

it.each([
  ['namespace', 'namespace'],
  ['namespaces', 'namespaces'],
  ['object', 'object'],
  ['objects', 'objects'],
  ['property', 'property'],
  ['properties', 'properties'],
  ['tag', 'tag'],
  ['tags', 'tags'],
  ['resource_type', 'resource_type_association'],
  ['resource_types', 'resource_type_associations'],
])('the schema metadefs/%s is called %s', async (path, name) => {
  const { token } = await mintActor('reader');
  const response = await call('GET', `/image/v2/schemas/metadefs/${path}`, { token });
  expect(await response.json()).toHaveProperty('name', name);
  expect((await call('GET', `/image/v2/schemas/metadefs/x${path}`, { token })).status).toBe(404);
});

it('namespaces are told apart by region', async () => {
  const { as, admin, create } = await stage();
  const namespace = await create();
  expect((await as('GET', `/namespaces/${namespace}`)).status).toBe(200);
  const elsewhere = await call('GET', `/r/elsewhere${NAMESPACES}/${namespace}`, { token: admin.token });
  expect(elsewhere.status).toBe(404);
});
