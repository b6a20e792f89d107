import { describe, expect, test } from 'vitest';
import { ORIGIN } from '../../../test/edge-client.ts';
import {
  freshName,
  grant,
  keystone,
  must,
  newDomain,
  newProject,
  newUser,
  tokenOf,
} from '../../../test/edge-identity.ts';
import { ownServices } from '../catalog/catalog.ts';

const service_id = ownServices[1]?.id ?? '';
const resource = () => ({ service_id, region_id: 'RegionOne', resource_name: freshName('r') });
const register = (...registered_limits: object[]) =>
  keystone('POST', '/registered_limits', { body: { registered_limits } });
const limit = (...limits: object[]) => keystone('POST', '/limits', { body: { limits } });
const brief = (answer: { status: number; body: { error?: { message: string } } }) => [
  answer.status,
  answer.body.error?.message,
];

describe('a registered limit', () => {
  test('is made, shown, listed, changed and deleted', async () => {
    const of = resource();
    const made = await register({ ...of, default_limit: 10, description: 'x' });
    const [one] = made.body.registered_limits;
    expect([made.status, one]).toEqual([
      201,
      {
        ...of,
        id: one.id,
        default_limit: 10,
        description: 'x',
        links: { self: `${ORIGIN}/identity/v3/registered_limits/${one.id}` },
      },
    ]);
    const path = `/registered_limits/${one.id}`;
    expect((await must('GET', path)).body.registered_limit).toEqual(one);
    const listed = await must('GET', `/registered_limits?service_id=${service_id}&resource_name=${of.resource_name}`);
    expect(listed.body.registered_limits).toEqual([one]);
    const change = { registered_limit: { default_limit: -1, region_id: null } };
    expect((await must('PATCH', path, { body: change })).body.registered_limit).toEqual({
      ...one,
      ...change.registered_limit,
    });
    expect((await keystone('DELETE', path)).status).toBe(204);
    expect(brief(await keystone('GET', path))).toEqual([404, `Could not find registered limit for ${one.id}.`]);
  });

  test('is one for a resource, of a service that there is', async () => {
    const of = { ...resource(), default_limit: 1 };
    expect((await register(of)).status).toBe(201);
    expect((await register({ ...resource(), default_limit: 1 }, of)).status).toBe(409);
    for (const wrong of [
      { service_id: 'none' },
      { region_id: 'none' },
      { default_limit: -2 },
      { default_limit: 2 ** 31 },
      { x: 1 },
    ]) {
      expect((await register({ ...of, resource_name: freshName('r'), ...wrong })).status).toBe(400);
    }
    expect((await register()).status).toBe(400);
  });
});

describe('a limit', () => {
  test('is of a project or a domain, and keeps what it limits', async () => {
    const [of, project, domain] = [resource(), await newProject(), await newDomain()];
    const [registered] = (await register({ ...of, default_limit: 10 })).body.registered_limits;
    const made = await limit(
      { ...of, project_id: project.id, resource_limit: 5 },
      { ...of, domain_id: domain.id, resource_limit: 7 },
    );
    expect(made.status).toBe(201);
    const [ofProject, ofDomain] = made.body.limits;
    const path = `/limits/${ofProject.id}`;
    expect((await must('GET', path)).body.limit).toEqual({
      ...of,
      id: ofProject.id,
      project_id: project.id,
      domain_id: null,
      resource_limit: 5,
      description: null,
      links: { self: `${ORIGIN}/identity/v3${path}` },
    });
    const body = { limit: { resource_limit: 6, description: 'x' } };
    expect((await must('PATCH', path, { body })).body.limit).toEqual({ ...ofProject, ...body.limit });
    expect((await must('GET', `/limits?domain_id=${domain.id}`)).body.limits).toEqual([ofDomain]);
    const at = `/registered_limits/${registered.id}`;
    expect(brief(await keystone('DELETE', at))).toEqual([
      403,
      expect.stringContaining('there are project limits associated'),
    ]);
    expect((await keystone('PATCH', at, { body: { registered_limit: { resource_name: 'y' } } })).status).toBe(403);
    expect((await keystone('PATCH', at, { body: { registered_limit: { default_limit: 3 } } })).status).toBe(200);
    for (const one of [ofProject, ofDomain]) await must('DELETE', `/limits/${one.id}`);
    expect(brief(await keystone('GET', path))).toEqual([404, `Could not find limit for ${ofProject.id}.`]);
    expect((await keystone('DELETE', at)).status).toBe(204);
  });

  test('needs what it is a limit of, and whose', async () => {
    const [of, project] = [resource(), await newProject()];
    const mine = { ...of, project_id: project.id, resource_limit: 1 };
    expect((await limit(mine)).status).toBe(403);
    await register({ ...of, default_limit: 1 });
    expect((await limit({ ...mine, project_id: 'none' })).status).toBe(400);
    expect((await limit({ ...mine, project_id: undefined, domain_id: 'none' })).status).toBe(400);
    expect((await limit({ ...mine, project_id: undefined })).status).toBe(400);
    expect((await limit({ ...mine, domain_id: 'default' })).status).toBe(400);
    expect((await limit(mine)).status).toBe(201);
    expect((await limit(mine)).status).toBe(409);
  });

  test('is seen by its project and its domain', async () => {
    const [of, domain] = [resource(), await newDomain()];
    const [project, other] = [await newProject(domain.id), await newProject()];
    await register({ ...of, default_limit: 1 });
    await limit(
      { ...of, project_id: project.id, resource_limit: 2 },
      { ...of, domain_id: domain.id, resource_limit: 3 },
      { ...of, project_id: other.id, resource_limit: 4 },
    );
    const user = await newUser(domain.id);
    await grant(user.id, 'reader', `projects/${project.id}`);
    await grant(user.id, 'reader', `domains/${domain.id}`);
    const seen = async (scope: unknown) => {
      const token = await tokenOf(user, scope);
      const { body } = await must('GET', `/limits?resource_name=${of.resource_name}`, { token });
      return body.limits.map((one: { resource_limit: number }) => one.resource_limit).sort();
    };
    expect(await seen({ project: { id: project.id } })).toEqual([2]);
    expect(await seen({ domain: { id: domain.id } })).toEqual([2, 3]);
    expect(await seen('unscoped')).toEqual([]);
    const all = (await must('GET', `/limits?resource_name=${of.resource_name}`)).body.limits;
    const token = await tokenOf(user, { project: { id: project.id } });
    const statuses = await Promise.all(
      all.map(async (one: { id: string; resource_limit: number }) => [
        one.resource_limit,
        (await keystone('GET', `/limits/${one.id}`, { token })).status,
      ]),
    );
    expect(Object.fromEntries(statuses)).toEqual({ 2: 200, 3: 403, 4: 403 });
    expect((await must('GET', '/limits/model', { token })).body.model.name).toBe('flat');
  });
});
