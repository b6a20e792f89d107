import {
  freshName,
  grant,
  must,
  newProject,
  newUser,
  roleId,
  type TestUser,
  tokenOf,
} from '../../test/edge-identity.ts';
import { type Call, castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { Action } from './policy.ts';

/** What is a user's own, and what is in the catalog; who tries it is neither that user nor of the system. */
type OwnAction = Extract<
  Action,
  `identity:${string}${'application_credential' | 'access_rule' | 'trust' | 'credential' | 'tokens_validate'}${string}`
>;
type CatalogAction = Extract<
  Action,
  | `identity:${'create' | 'update' | 'delete'}_${'service' | 'endpoint' | 'region'}`
  | `identity:${string}endpoint_group${string}`
  | 'identity:list_projects_for_endpoint'
  | `identity:${string}endpoint${'' | 's'}_${'in' | 'for' | 'to' | 'from'}_project`
>;

let owner: TestUser;
let trustee: TestUser;
let projectId = '';
let ownToken = '';

async function cast() {
  projectId = (await newProject()).id;
  [owner, trustee] = await Promise.all([newUser(), newUser()]);
  await grant(owner.id, 'member', `projects/${projectId}`);
  ownToken = await tokenOf(owner, { project: { id: projectId } });
  return castAround(projectId);
}

type Make = () => Call | Promise<Call>;
const v3 = (method: string, path: string, body?: unknown): Call => ({ method, path: `/identity/v3${path}`, body });
const at =
  (method: string, path: () => string | Promise<string>, body?: () => unknown): Make =>
  async () =>
    v3(method, await path(), body?.());
/** Made by its owner, or by the administrator. @returns what the answer has of it */
const made = async (path: string, one: string, values: object, token?: string) =>
  (await must('POST', path, { body: { [one]: values }, ...(token ? { token } : {}) })).body[one];

const rule = { path: '/v2.1/servers', method: 'GET', service: 'compute' };
const newCredential = () =>
  made(`/users/${owner.id}/application_credentials`, 'application_credential', applicationCredential(), ownToken);
const applicationCredential = () => ({
  name: freshName('a'),
  access_rules: [{ ...rule, path: `/v2.1/${freshName('x')}` }],
});
const mine = (rest: string) => () => `/users/${owner.id}${rest}`;
const oneCredential = async () => mine(`/application_credentials/${(await newCredential()).id}`)();
const oneRule = async () => {
  const { id, access_rules } = await newCredential();
  await must('DELETE', mine(`/application_credentials/${id}`)(), { token: ownToken });
  return mine(`/access_rules/${access_rules[0].id}`)();
};
const trust = () => ({
  trustor_user_id: owner.id,
  trustee_user_id: trustee.id,
  project_id: projectId,
  impersonation: true,
  roles: [{ name: 'member' }],
});
const oneTrust =
  (rest = '') =>
  async () =>
    `/OS-TRUST/trusts/${(await made('/OS-TRUST/trusts', 'trust', trust(), ownToken)).id}${rest}`;
const credential = () => ({ type: 'cert', blob: freshName('b'), user_id: owner.id });
const oneBlob = async () => `/credentials/${(await made('/credentials', 'credential', credential())).id}`;
const oneKey = async () => {
  const { body } = await must('POST', mine('/credentials/OS-EC2')(), { body: { tenant_id: projectId } });
  return mine(`/credentials/OS-EC2/${body.credential.access}`)();
};

const signed = () => ({
  credentials: { access: 'none', signature: 'x', token: 'eA==', host: 'h', verb: 'GET', path: '/', params: {} },
});

describePolicy<OwnAction>("identity, what is a user's own", cast, {
  'identity:get_application_credential': trial('admin', 200, at('GET', oneCredential)),
  'identity:list_application_credentials': trial('admin', 200, at('GET', mine('/application_credentials'))),
  // Nobody makes or keeps rights in another's name, the administrator neither.
  'identity:create_application_credential': trial(
    'anyone',
    403,
    at('POST', mine('/application_credentials'), () => ({ application_credential: applicationCredential() })),
  ),
  'identity:delete_application_credential': trial('admin', 204, at('DELETE', oneCredential)),
  'identity:get_access_rule': trial('anyone', 403, at('GET', oneRule)),
  'identity:list_access_rules': trial('anyone', 403, at('GET', mine('/access_rules'))),
  'identity:delete_access_rule': trial('anyone', 403, at('DELETE', oneRule)),

  'identity:create_trust': trial(
    'anyone',
    403,
    at(
      'POST',
      () => '/OS-TRUST/trusts',
      () => ({ trust: trust() }),
    ),
  ),
  'identity:list_trusts': trial(
    'admin',
    200,
    at('GET', () => '/OS-TRUST/trusts'),
  ),
  'identity:list_trusts_for_trustor': trial(
    'admin',
    200,
    at('GET', () => `/OS-TRUST/trusts?trustor_user_id=${owner.id}`),
  ),
  'identity:list_trusts_for_trustee': trial(
    'admin',
    200,
    at('GET', () => `/OS-TRUST/trusts?trustee_user_id=${trustee.id}`),
  ),
  'identity:get_trust': trial('admin', 200, at('GET', oneTrust())),
  'identity:list_roles_for_trust': trial('admin', 200, at('GET', oneTrust('/roles'))),
  'identity:get_role_for_trust': trial(
    'admin',
    200,
    at('GET', async () => oneTrust(`/roles/${await roleId('member')}`)()),
  ),
  'identity:delete_trust': trial('admin', 204, at('DELETE', oneTrust())),

  'identity:get_credential': trial('admin', 200, at('GET', oneBlob)),
  // Each sees the own of what is asked for.
  'identity:list_credentials': trial(
    'anyone',
    200,
    at('GET', () => `/credentials?user_id=${owner.id}`),
  ),
  'identity:create_credential': trial(
    'admin',
    201,
    at(
      'POST',
      () => '/credentials',
      () => ({ credential: credential() }),
    ),
  ),
  'identity:update_credential': trial(
    'admin',
    200,
    at('PATCH', oneBlob, () => ({ credential: { type: 'totp' } })),
  ),
  'identity:delete_credential': trial('admin', 204, at('DELETE', oneBlob)),
  'identity:ec2_get_credential': trial('admin', 200, at('GET', oneKey)),
  'identity:ec2_list_credentials': trial('admin', 200, at('GET', mine('/credentials/OS-EC2'))),
  'identity:ec2_create_credential': trial(
    'admin',
    201,
    at('POST', mine('/credentials/OS-EC2'), () => ({ tenant_id: projectId })),
  ),
  'identity:ec2_delete_credential': trial('admin', 204, at('DELETE', oneKey)),
  // A key that is not there, said to those alone who may ask.
  'identity:ec2tokens_validate': trial(
    'admin',
    404,
    at('POST', () => '/ec2tokens', signed),
    { stranger: 403 },
  ),
  'identity:s3tokens_validate': trial(
    'admin',
    404,
    at('POST', () => '/s3tokens', signed),
    { stranger: 403 },
  ),
});

const service = () => ({ type: freshName('t'), name: 'x' });
const oneService = async () => (await made('/services', 'service', service())).id as string;
const endpoint = async () => ({ service_id: await oneService(), interface: 'public', url: 'http://a.example/' });
const oneEndpoint = async () => (await made('/endpoints', 'endpoint', await endpoint())).id as string;
const oneRegion = async () => (await made('/regions', 'region', { description: 'x' })).id as string;
const group = () => ({ name: freshName('g'), filters: { interface: 'admin' } });
const FILTER = '/OS-EP-FILTER';
const oneGroup = async () => (await made(`${FILTER}/endpoint_groups`, 'endpoint_group', group())).id as string;
const onGroup =
  (method: string, rest = '', body?: () => unknown): Make =>
  async () =>
    v3(method, `${FILTER}/endpoint_groups/${await oneGroup()}${rest}`, body?.());
/** A call about an endpoint, or a group, of the project; it is there beforehand where `added`. */
const ofProject =
  (method: string, kind: 'endpoints' | 'endpoint_groups', added: boolean): Make =>
  async () => {
    const path =
      kind === 'endpoints'
        ? `${FILTER}/projects/${projectId}/endpoints/${await oneEndpoint()}`
        : `${FILTER}/endpoint_groups/${await oneGroup()}/projects/${projectId}`;
    if (added) await must('PUT', path);
    return v3(method, path);
  };

describePolicy<CatalogAction>('identity, the catalog', cast, {
  'identity:create_service': trial(
    'admin',
    201,
    at(
      'POST',
      () => '/services',
      () => ({ service: service() }),
    ),
  ),
  'identity:update_service': trial('admin', 200, async () =>
    v3('PATCH', `/services/${await oneService()}`, { service: { name: 'y' } }),
  ),
  'identity:delete_service': trial('admin', 204, async () => v3('DELETE', `/services/${await oneService()}`)),
  'identity:create_endpoint': trial('admin', 201, async () => v3('POST', '/endpoints', { endpoint: await endpoint() })),
  'identity:update_endpoint': trial('admin', 200, async () =>
    v3('PATCH', `/endpoints/${await oneEndpoint()}`, { endpoint: { interface: 'admin' } }),
  ),
  'identity:delete_endpoint': trial('admin', 204, async () => v3('DELETE', `/endpoints/${await oneEndpoint()}`)),
  'identity:create_region': [
    trial(
      'admin',
      201,
      at(
        'POST',
        () => '/regions',
        () => ({ region: {} }),
      ),
    ),
    trial(
      'admin',
      201,
      at(
        'PUT',
        () => `/regions/${freshName('r')}`,
        () => ({ region: {} }),
      ),
    ),
  ],
  'identity:update_region': trial('admin', 200, async () =>
    v3('PATCH', `/regions/${await oneRegion()}`, { region: { description: 'y' } }),
  ),
  'identity:delete_region': trial('admin', 204, async () => v3('DELETE', `/regions/${await oneRegion()}`)),

  'identity:get_endpoint_group': trial('admin', 200, onGroup('GET')),
  'identity:list_endpoint_groups': trial(
    'admin',
    200,
    at('GET', () => `${FILTER}/endpoint_groups`),
  ),
  'identity:create_endpoint_group': trial(
    'admin',
    201,
    at(
      'POST',
      () => `${FILTER}/endpoint_groups`,
      () => ({ endpoint_group: group() }),
    ),
  ),
  'identity:update_endpoint_group': trial(
    'admin',
    200,
    onGroup('PATCH', '', () => ({ endpoint_group: { description: 'y' } })),
  ),
  'identity:delete_endpoint_group': trial('admin', 204, onGroup('DELETE')),
  'identity:list_projects_associated_with_endpoint_group': trial('admin', 200, onGroup('GET', '/projects')),
  'identity:list_endpoints_associated_with_endpoint_group': trial('admin', 200, onGroup('GET', '/endpoints')),
  'identity:get_endpoint_group_in_project': trial('admin', 200, ofProject('GET', 'endpoint_groups', true)),
  'identity:add_endpoint_group_to_project': trial('admin', 204, ofProject('PUT', 'endpoint_groups', false)),
  'identity:remove_endpoint_group_from_project': trial('admin', 204, ofProject('DELETE', 'endpoint_groups', true)),
  'identity:list_endpoint_groups_for_project': trial(
    'admin',
    200,
    at('GET', () => `${FILTER}/projects/${projectId}/endpoint_groups`),
  ),
  'identity:list_projects_for_endpoint': trial('admin', 200, async () =>
    v3('GET', `${FILTER}/endpoints/${await oneEndpoint()}/projects`),
  ),
  'identity:check_endpoint_in_project': trial('admin', 204, ofProject('GET', 'endpoints', true)),
  'identity:list_endpoints_for_project': trial(
    'admin',
    200,
    at('GET', () => `${FILTER}/projects/${projectId}/endpoints`),
  ),
  'identity:add_endpoint_to_project': trial('admin', 204, ofProject('PUT', 'endpoints', false)),
  'identity:remove_endpoint_from_project': trial('admin', 204, ofProject('DELETE', 'endpoints', true)),
});
