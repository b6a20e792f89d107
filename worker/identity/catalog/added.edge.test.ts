import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  grant,
  keystone,
  login,
  must,
  newProject,
  newUser,
  tokenOf,
  validate,
} from '../../../test/edge-identity.ts';

const V3 = `${ORIGIN}/identity/v3`;
const post = async (many: string, one: string, body: object) =>
  (await must('POST', `/${many}`, { body: { [one]: body } })).body[one];
const status = async (...args: Parameters<typeof keystone>) => (await keystone(...args)).status;

/** A service with one endpoint. */
async function serviceAt(url: string) {
  const service = await post('services', 'service', { type: freshName('t'), name: freshName('s') });
  const body = { service_id: service.id, interface: 'public', url, region_id: 'RegionOne' };
  return { service, endpoint: await post('endpoints', 'endpoint', body) };
}

async function member() {
  const [user, project] = [await newUser(), await newProject()];
  await grant(user.id, 'member', `projects/${project.id}`);
  return { user, project, scope: { project: { id: project.id } } };
}

interface Entry {
  id: string;
  endpoints: { url: string }[];
}
const urlsIn = (catalog: Entry[], serviceId: string) =>
  catalog.find(({ id }) => id === serviceId)?.endpoints.map(({ url }) => url);

test('a service is added, changed and taken away with its endpoints', async () => {
  const type = freshName('t');
  const service = await post('services', 'service', { type, name: 'x', description: 'y' });
  expect(service).toEqual({
    id: service.id,
    type,
    name: 'x',
    description: 'y',
    enabled: true,
    links: { self: `${V3}/services/${service.id}` },
  });
  const { body } = await must('PATCH', `/services/${service.id}`, { body: { service: { description: 'z' } } });
  expect(body.service).toEqual({ ...service, description: 'z' });
  expect((await must('GET', `/services?type=${type}`)).body.services).toEqual([body.service]);
  const endpoint = { service_id: service.id, interface: 'public', url: 'http://x.test' };
  const { id } = await post('endpoints', 'endpoint', endpoint);
  await must('DELETE', `/services/${service.id}`);
  expect(await status('GET', `/services/${service.id}`)).toBe(404);
  expect(await status('GET', `/endpoints/${id}`)).toBe(404);
  expect(await status('POST', '/services', { body: { service: { name: 'no type' } } })).toBe(400);
});

test('an endpoint is added, changed and taken away', async () => {
  const { service, endpoint } = await serviceAt('http://x.test/v1');
  expect(endpoint).toEqual({
    id: endpoint.id,
    interface: 'public',
    url: 'http://x.test/v1',
    region: 'RegionOne',
    region_id: 'RegionOne',
    service_id: service.id,
    enabled: true,
    links: { self: `${V3}/endpoints/${endpoint.id}` },
  });
  const region = freshName('r');
  const change = { endpoint: { region, url: 'http://y.test', enabled: false } };
  const changed = (await must('PATCH', `/endpoints/${endpoint.id}`, { body: change })).body.endpoint;
  expect(changed).toEqual({ ...endpoint, ...change.endpoint, region_id: region });
  expect((await must('GET', `/regions/${region}`)).body.region.description).toBe('');
  expect((await must('GET', `/endpoints?region_id=${region}`)).body.endpoints).toEqual([changed]);
  await must('DELETE', `/endpoints/${endpoint.id}`);
  expect(await status('DELETE', `/endpoints/${endpoint.id}`)).toBe(404);
});

test.each([
  [{ service_id: 'none' }, 'Expecting to find endpoint service_id in service table.'],
  [{ region_id: 'none' }, 'Expecting to find endpoint region_id in region table.'],
  [{ url: 'nowhere' }, "Invalid input for field 'url'"],
  [{ url: 'http://x/$(password)s' }, "Invalid input for field 'url'"],
  [{ interface: 'other' }, "Invalid input for field 'interface'"],
  [{ enabled: 'False' }, "Invalid input for field 'enabled'"],
])('an endpoint with %j is refused', async (wrong, words) => {
  const service = await post('services', 'service', { type: freshName('t') });
  const body = { endpoint: { service_id: service.id, interface: 'public', url: 'http://x.test', ...wrong } };
  const answer = await keystone('POST', '/endpoints', { body });
  expect([answer.status, answer.body.error.message]).toEqual([400, expect.stringContaining(words)]);
});

describe('a region', () => {
  const newRegion = async (body: object = {}) => post('regions', 'region', body);

  test('is added under an id of its own or a given one', async () => {
    const top = await newRegion({ description: 'x' });
    expect(top).toEqual({
      id: top.id,
      description: 'x',
      parent_region_id: null,
      links: { self: `${V3}/regions/${top.id}` },
    });
    const id = freshName('r');
    const made = await keystone('PUT', `/regions/${id}`, { body: { region: { parent_region_id: top.id } } });
    expect([made.status, made.body.region.id]).toEqual([201, id]);
    expect((await must('GET', `/regions?parent_region_id=${top.id}`)).body.regions).toEqual([made.body.region]);
    const again = await keystone('POST', '/regions', { body: { region: { id } } });
    expect([again.status, again.body.error.message]).toEqual([
      409,
      `Conflict occurred attempting to store region - Duplicate ID, ${id}..`,
    ]);
    expect(await status('POST', '/regions', { body: { region: { id: 'RegionOne' } } })).toBe(409);
    expect(await status('PUT', `/regions/${id}`, { body: { region: { id: 'x' } } })).toBe(400);
    expect(await status('POST', '/regions', { body: { region: { parent_region_id: 'none' } } })).toBe(404);
  });

  test('is never below itself', async () => {
    const top = await newRegion();
    const below = await newRegion({ parent_region_id: top.id });
    const moved = (id: string, parent_region_id: string | null) =>
      status('PATCH', `/regions/${id}`, { body: { region: { parent_region_id } } });
    expect(await moved(top.id, below.id)).toBe(400);
    expect(await moved(top.id, top.id)).toBe(400);
    expect(await moved(below.id, 'none')).toBe(404);
    expect(await moved(below.id, null)).toBe(200);
  });

  test('goes with those below it, unless it is used', async () => {
    const top = await newRegion();
    const below = await newRegion({ parent_region_id: top.id });
    const { endpoint } = await serviceAt('http://x.test');
    await must('PATCH', `/endpoints/${endpoint.id}`, { body: { endpoint: { region_id: below.id } } });
    expect(await status('DELETE', `/regions/${top.id}`)).toBe(403);
    await must('DELETE', `/endpoints/${endpoint.id}`);
    await must('DELETE', `/regions/${top.id}`);
    expect(await status('GET', `/regions/${below.id}`)).toBe(404);
  });
});

describe('the catalog of a token', () => {
  test('has what was added, as long as it is there and enabled', async () => {
    const { user, scope } = await member();
    const token = await tokenOf(user, scope);
    const { service, endpoint } = await serviceAt('http://x.test/v1');
    const urls = async () => urlsIn((await must('GET', '/auth/catalog', { token })).body.catalog, service.id);
    expect(await urls()).toEqual(['http://x.test/v1']);
    expect(urlsIn((await login(user, scope)).body.token.catalog, service.id)).toEqual(['http://x.test/v1']);
    await must('PATCH', `/endpoints/${endpoint.id}`, { body: { endpoint: { enabled: false } } });
    expect(await urls()).toEqual([]);
    await must('DELETE', `/services/${service.id}`);
    expect(await urls()).toBeUndefined();
  });

  test('names the project and the user where a URL asks for them', async () => {
    const { user, project, scope } = await member();
    const { service } = await serviceAt('http://x.test/AUTH_$(project_id)s/%(user_id)s');
    const { catalog } = (await login(user, scope)).body.token;
    expect(urlsIn(catalog, service.id)).toEqual([`http://x.test/AUTH_${project.id}/${user.id}`]);
    await grant(user.id, 'reader', 'system');
    const onSystem = (await login(user, { system: { all: true } })).body.token.catalog;
    expect(urlsIn(onSystem, service.id)).toEqual([]);
    await must('DELETE', `/services/${service.id}`);
  });

  test('has only what the project was given, where it was given any', async () => {
    const { user, project, scope } = await member();
    const { service, endpoint } = await serviceAt('http://x.test/v1');
    const at = `/OS-EP-FILTER/projects/${project.id}/endpoints/${endpoint.id}`;
    expect(await status('GET', at)).toBe(404);
    await must('PUT', at);
    await must('PUT', at);
    expect(await status('HEAD', at)).toBe(204);
    const types = async () => (await login(user, scope)).body.token.catalog.map(({ type }: { type: string }) => type);
    expect(await types()).toEqual([service.type]);
    const filters = { service_id: (await must('GET', '/services?type=compute')).body.services[0].id };
    const group = await post('OS-EP-FILTER/endpoint_groups', 'endpoint_group', { name: 'g', filters });
    const groupAt = `/OS-EP-FILTER/endpoint_groups/${group.id}/projects/${project.id}`;
    await must('PUT', groupAt);
    expect((await must('GET', groupAt)).body.project_endpoint_group).toMatchObject({ project_id: project.id });
    expect(await types()).toEqual(['compute', service.type]);
    const listed = (await must('GET', `/OS-EP-FILTER/projects/${project.id}/endpoints`)).body.endpoints;
    expect(listed).toHaveLength(4);
    await must('DELETE', groupAt);
    await must('DELETE', at);
    expect(await types()).toContain('network');
    expect(await status('DELETE', at)).toBe(404);
  });
});

test('a group of endpoints is made, changed, looked at and deleted', async () => {
  const project = await newProject();
  const { service, endpoint } = await serviceAt('http://x.test/v1');
  const body = { name: freshName('g'), description: 'x', filters: { service_id: service.id, interface: 'public' } };
  const group = await post('OS-EP-FILTER/endpoint_groups', 'endpoint_group', body);
  const at = `/OS-EP-FILTER/endpoint_groups/${group.id}`;
  expect(group).toEqual({ ...body, id: group.id, links: { self: `${V3}${at}` } });
  expect((await must('GET', `${at}/endpoints`)).body.endpoints).toMatchObject([{ id: endpoint.id }]);
  const change = { endpoint_group: { filters: { region_id: 'nowhere' } } };
  expect((await must('PATCH', at, { body: change })).body.endpoint_group).toMatchObject(change.endpoint_group);
  expect((await must('GET', `${at}/endpoints`)).body.endpoints).toEqual([]);
  await must('PUT', `${at}/projects/${project.id}`);
  await must('PUT', `/OS-EP-FILTER/projects/${project.id}/endpoints/${endpoint.id}`);
  expect((await must('GET', `${at}/projects`)).body.projects).toMatchObject([{ id: project.id }]);
  expect((await must('GET', `/OS-EP-FILTER/endpoints/${endpoint.id}/projects`)).body.projects).toHaveLength(1);
  expect((await must('GET', `/OS-EP-FILTER/projects/${project.id}/endpoint_groups`)).body.endpoint_groups).toHaveLength(
    1,
  );
  expect(await status('HEAD', at)).toBe(200);
  expect(await status('PUT', `${at}/projects/nowhere`)).toBe(404);
  for (const filters of [{}, { colour: 'red' }, undefined]) {
    const wrong = { endpoint_group: { name: 'x', filters } };
    expect(await status('POST', '/OS-EP-FILTER/endpoint_groups', { body: wrong })).toBe(400);
  }
  await must('DELETE', at);
  expect(await status('GET', at)).toBe(404);
});

test('a change of the catalog ends no token', async () => {
  const { user, scope } = await member();
  const token = await tokenOf(user, scope);
  await serviceAt('http://x.test');
  expect((await validate(token)).status).toBe(200);
});
