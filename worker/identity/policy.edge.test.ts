import { expect, test } from 'vitest';
import { freshName, keystone, must, newGroup, newNobody, newProject, tokenOf } from '../../test/edge-identity.ts';
import {
  ALL,
  at,
  DOMAIN,
  describeRows,
  type Maker,
  PROJECT,
  type Row,
  SYSTEM,
} from '../../test/edge-identity-policy.ts';

const validating: Maker = (scene) => ({
  path: '/auth/tokens?nocatalog',
  headers: { 'x-subject-token': scene.targetToken },
});

const ROWS: Row[] = [
  ['GET', "another's token", validating, 200, ['systemReader', 'service']],
  ['HEAD', "another's token", validating, 200, SYSTEM],
  [
    'DELETE',
    "another's token",
    async (scene) => ({
      path: '/auth/tokens',
      headers: { 'x-subject-token': await tokenOf(scene.target, 'unscoped') },
    }),
    204,
    [],
  ],
  ['GET', 'own projects', at(() => '/auth/projects'), 200, ALL],
  ['GET', 'own domains', at(() => '/auth/domains'), 200, ALL],
  ['GET', 'own system', at(() => '/auth/system'), 200, ALL],
  ['GET', 'catalog', at(() => '/auth/catalog'), 200, [...PROJECT, 'stranger']],

  ['GET', 'domains', at(() => '/domains'), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a domain', at((s) => `/domains/${s.domainId}`), 200, [...SYSTEM, ...DOMAIN, ...PROJECT]],
  ['GET', 'a domain that is not', at(() => '/domains/nowhere'), 404, SYSTEM],
  ['POST', 'a domain', () => ({ path: '/domains', body: { domain: { name: freshName('d') } } }), 201, []],
  [
    'PATCH',
    'a domain',
    (scene) => ({ path: `/domains/${scene.domainId}`, body: { domain: { description: 'x' } } }),
    200,
    [],
  ],
  ['DELETE', 'a domain', at((s) => `/domains/${s.domainId}`), 403, []],

  ['GET', 'projects', at(() => '/projects'), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a project', at((s) => `/projects/${s.projectId}`), 200, [...SYSTEM, ...DOMAIN, ...PROJECT]],
  ['GET', 'a project that is not', at(() => '/projects/nowhere'), 404, SYSTEM],
  [
    'POST',
    'a project',
    (scene) => ({ path: '/projects', body: { project: { name: freshName('p'), domain_id: scene.domainId } } }),
    201,
    ['domainManager'],
  ],
  [
    'PATCH',
    'a project',
    (scene) => ({ path: `/projects/${scene.projectId}`, body: { project: { description: 'x' } } }),
    200,
    ['domainManager'],
  ],
  [
    'DELETE',
    'a project',
    async (scene) => ({ path: `/projects/${(await newProject(scene.domainId)).id}` }),
    204,
    ['domainManager'],
  ],
  ['GET', 'tags', at((s) => `/projects/${s.projectId}/tags`), 200, [...SYSTEM, ...DOMAIN, ...PROJECT]],
  ['GET', 'a tag', at((s) => `/projects/${s.projectId}/tags/none`), 404, [...SYSTEM, ...DOMAIN, ...PROJECT]],
  [
    'PUT',
    'tags',
    (scene) => ({ path: `/projects/${scene.projectId}/tags`, body: { tags: ['a'] } }),
    200,
    ['domainManager'],
  ],
  ['PUT', 'a tag', at((s) => `/projects/${s.projectId}/tags/a`), 201, ['domainManager']],
  ['DELETE', 'a tag', at((s) => `/projects/${s.projectId}/tags/none`), 404, ['domainManager']],
  ['DELETE', 'tags', at((s) => `/projects/${s.projectId}/tags`), 204, ['domainManager']],

  ['GET', 'users', at(() => '/users'), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a user', at((s) => `/users/${s.target.id}`), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a user that is not', at(() => '/users/nobody'), 404, SYSTEM],
  ['GET', "a user's projects", at((s) => `/users/${s.target.id}/projects`), 200, [...SYSTEM, ...DOMAIN]],
  [
    'POST',
    'a user',
    (scene) => ({ path: '/users', body: { user: { name: freshName('u'), domain_id: scene.domainId } } }),
    201,
    ['domainManager'],
  ],
  [
    'PATCH',
    'a user',
    (scene) => ({ path: `/users/${scene.target.id}`, body: { user: { description: 'x' } } }),
    200,
    ['domainManager'],
  ],
  [
    'DELETE',
    'a user',
    async (scene) => ({ path: `/users/${(await newNobody(scene.domainId)).id}` }),
    204,
    ['domainManager'],
  ],

  ['GET', 'groups', at(() => '/groups'), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a group', at((s) => `/groups/${s.groupId}`), 200, [...SYSTEM, ...DOMAIN]],
  ['GET', 'a group that is not', at(() => '/groups/none'), 404, SYSTEM],
  ['GET', "a user's groups", at((s) => `/users/${s.target.id}/groups`), 200, [...SYSTEM, ...DOMAIN]],
  [
    'POST',
    'a group',
    (scene) => ({ path: '/groups', body: { group: { name: freshName('g'), domain_id: scene.domainId } } }),
    201,
    ['domainManager'],
  ],
  [
    'PATCH',
    'a group',
    (scene) => ({ path: `/groups/${scene.groupId}`, body: { group: { description: 'x' } } }),
    200,
    ['domainManager'],
  ],
  [
    'DELETE',
    'a group',
    async (scene) => ({ path: `/groups/${await newGroup(scene.domainId)}` }),
    204,
    ['domainManager'],
  ],
  ['GET', "a group's users", at((s) => `/groups/${s.groupId}/users`), 200, [...SYSTEM, ...DOMAIN]],
  ['PUT', 'a user in a group', at((s) => `/groups/${s.groupId}/users/${s.target.id}`), 204, ['domainManager']],
  ['GET', 'a user in a group', at((s) => `/groups/${s.groupId}/users/${s.target.id}`), 204, [...SYSTEM, ...DOMAIN]],
  [
    'DELETE',
    'a user in a group',
    async (scene) => {
      const path = `/groups/${scene.groupId}/users/${(await newNobody(scene.domainId)).id}`;
      await must('PUT', path);
      return { path };
    },
    204,
    ['domainManager'],
  ],

  ['GET', 'services', at(() => '/services'), 200, SYSTEM],
  ['GET', 'a service', at(() => '/services/none'), 404, SYSTEM],
  ['GET', 'endpoints', at(() => '/endpoints'), 200, SYSTEM],
  ['GET', 'an endpoint', at(() => '/endpoints/none'), 404, SYSTEM],
  ['GET', 'regions', at(() => '/regions'), 200, ALL],
  ['GET', 'a region', at(() => '/regions/RegionOne'), 200, ALL],
];

/** Those have tables of their own, and nobody is left out of them: the other files of this name. */
const ELSEWHERE = [
  /application_credential|access_rule|trust|credential|tokens_validate/,
  /endpoint_group|endpoints?_(in|for|to|from)_project|list_projects_for_endpoint/,
  /(create|update|delete)_(service|endpoint|region)$/,
  /_(policy|policies|consumers?|limits?|limit_model)$|domain_config/,
  /_(domain_|implied_)?roles?$|_role_|_grants?(_|$)/,
  /_(identity_provider|protocol|mapping|service_provider)s?$/,
];
const scene = describeRows(ROWS, (action) => !ELSEWHERE.some((one) => one.test(action)));

test('a user sees, and may end, what is the own', async () => {
  const { target, targetToken } = scene();
  const token = await tokenOf(target, 'unscoped');
  const own = async (method: string, path: string, headers = {}) =>
    (await keystone(method, path, { token, headers })).status;
  expect(await own('GET', `/users/${target.id}`)).toBe(200);
  expect(await own('GET', `/users/${target.id}/projects`)).toBe(200);
  expect(await own('GET', '/auth/tokens', { 'x-subject-token': targetToken })).toBe(200);
  expect(await own('DELETE', `/users/${target.id}`)).toBe(403);
  expect(await own('DELETE', '/auth/tokens', { 'x-subject-token': token })).toBe(204);
  expect(await own('GET', `/users/${target.id}`)).toBe(401);
});
