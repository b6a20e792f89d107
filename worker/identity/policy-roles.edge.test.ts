import { freshName, grant, newGroup, newNobody, newRole, roleId } from '../../test/edge-identity.ts';
import { at, DOMAIN, describeRows, type Row, SYSTEM } from '../../test/edge-identity-policy.ts';

/* Roles, and to whom they are granted. */

const ROWS: Row[] = [
  ['GET', 'roles', at(() => '/roles'), 200, [...SYSTEM, 'domainManager']],
  ['GET', 'a role', at((s) => `/roles/${s.memberRole}`), 200, [...SYSTEM, 'manager', 'domainManager']],
  ['GET', 'a role that is not', at(() => '/roles/nothing'), 404, SYSTEM],
  ['POST', 'a role', () => ({ path: '/roles', body: { role: { name: freshName('r') } } }), 201, []],
  [
    'PATCH',
    'a role',
    async () => ({ path: `/roles/${(await newRole()).id}`, body: { role: { description: 'x' } } }),
    200,
    [],
  ],
  ['DELETE', 'a role', async () => ({ path: `/roles/${(await newRole()).id}` }), 204, []],
  ['GET', "a domain's roles", at((s) => `/roles?domain_id=${s.domainId}`), 200, SYSTEM],
  [
    'GET',
    "a domain's role",
    async (scene) => ({ path: `/roles/${(await newRole({ domain_id: scene.domainId })).id}` }),
    200,
    SYSTEM,
  ],
  [
    'POST',
    "a domain's role",
    (scene) => ({ path: '/roles', body: { role: { name: freshName('r'), domain_id: scene.domainId } } }),
    201,
    [],
  ],
  [
    'PATCH',
    "a domain's role",
    async (scene) => ({
      path: `/roles/${(await newRole({ domain_id: scene.domainId })).id}`,
      body: { role: { description: 'x' } },
    }),
    200,
    [],
  ],
  [
    'DELETE',
    "a domain's role",
    async (scene) => ({ path: `/roles/${(await newRole({ domain_id: scene.domainId })).id}` }),
    204,
    [],
  ],
  ['GET', 'implied roles', at((s) => `/roles/${s.memberRole}/implies`), 200, SYSTEM],
  ['GET', 'an implied role', at((s) => `/roles/${s.memberRole}/implies/${s.memberRole}`), 404, SYSTEM],
  [
    'PUT',
    'an implied role',
    async (scene) => ({ path: `/roles/${(await newRole()).id}/implies/${scene.memberRole}` }),
    201,
    [],
  ],
  ['DELETE', 'an implied role', at((s) => `/roles/${s.memberRole}/implies/${s.memberRole}`), 404, []],
  ['GET', 'role inferences', at(() => '/role_inferences'), 200, SYSTEM],

  ['GET', 'grants', at((s) => `/projects/${s.projectId}/users/${s.target.id}/roles`), 200, [...SYSTEM, ...DOMAIN]],
  [
    'GET',
    'a grant',
    at((s) => `/projects/${s.projectId}/users/${s.target.id}/roles/${s.memberRole}`),
    404,
    [...SYSTEM, ...DOMAIN],
  ],
  [
    'PUT',
    'a grant',
    async (scene) => ({
      path: `/projects/${scene.projectId}/users/${(await newNobody(scene.domainId)).id}/roles/${scene.memberRole}`,
    }),
    204,
    ['domainManager'],
  ],
  [
    'PUT',
    'a grant of admin',
    async (scene) => ({
      path: `/projects/${scene.projectId}/users/${(await newNobody(scene.domainId)).id}/roles/${await roleId('admin')}`,
    }),
    204,
    [],
  ],
  [
    'DELETE',
    'a grant',
    async (scene) => ({
      path: await grant((await newNobody(scene.domainId)).id, 'member', `projects/${scene.projectId}`),
    }),
    204,
    ['domainManager'],
  ],
  [
    'GET',
    'grants on a domain',
    at((s) => `/domains/${s.domainId}/users/${s.target.id}/roles`),
    200,
    [...SYSTEM, ...DOMAIN],
  ],
  ['GET', 'grants on the system', at((s) => `/system/users/${s.target.id}/roles`), 200, SYSTEM],
  ['GET', 'a grant on the system', at((s) => `/system/users/${s.target.id}/roles/${s.memberRole}`), 404, SYSTEM],
  [
    'PUT',
    'a grant on the system',
    async (scene) => ({ path: `/system/users/${(await newNobody(scene.domainId)).id}/roles/${scene.memberRole}` }),
    204,
    [],
  ],
  ['DELETE', 'a grant on the system', at((s) => `/system/users/${s.target.id}/roles/${s.memberRole}`), 404, []],
  [
    'GET',
    'grants to a group',
    at((s) => `/projects/${s.projectId}/groups/${s.groupId}/roles`),
    200,
    [...SYSTEM, ...DOMAIN],
  ],
  [
    'PUT',
    'a grant to a group',
    at((s) => `/projects/${s.projectId}/groups/${s.groupId}/roles/${s.memberRole}`),
    204,
    ['domainManager'],
  ],
  ['GET', 'grants to a group on the system', at((s) => `/system/groups/${s.groupId}/roles`), 200, SYSTEM],
  [
    'GET',
    'a grant to a group on the system',
    at((s) => `/system/groups/${s.groupId}/roles/${s.memberRole}`),
    404,
    SYSTEM,
  ],
  [
    'PUT',
    'a grant to a group on the system',
    async (scene) => ({ path: `/system/groups/${await newGroup(scene.domainId)}/roles/${scene.memberRole}` }),
    204,
    [],
  ],
  [
    'DELETE',
    'a grant to a group on the system',
    at((s) => `/system/groups/${s.groupId}/roles/${s.memberRole}`),
    404,
    [],
  ],
  ['GET', 'role assignments', at((s) => `/role_assignments?user.id=${s.target.id}`), 200, [...SYSTEM, ...DOMAIN]],
  [
    'GET',
    'role assignments of a tree',
    at((s) => `/role_assignments?include_subtree&scope.project.id=${s.projectId}`),
    200,
    [...SYSTEM, ...DOMAIN],
  ],
];

describeRows(ROWS, (action) => /_(domain_|implied_)?roles?$|_role_(inf|ass)|_grants?(_|$)/.test(action));
