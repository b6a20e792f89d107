import { freshName, must, newDomain, newProject } from '../../test/edge-identity.ts';
import { type Call, castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import { ownServices } from './catalog/catalog.ts';
import type { Action } from './policy.ts';

/** What Keystone keeps for others: rules, limits, consumers and the configurations of domains. */
type KeptAction = Extract<
  Action,
  | `identity:${string}_${'policy' | 'policies' | 'consumer' | 'consumers'}`
  | `identity:${string}_${'limit' | 'limits' | 'limit_model'}`
  | `identity:${string}domain_config${string}`
>;

let projectId = '';
async function cast() {
  projectId = (await newProject()).id;
  return castAround(projectId);
}

type Make = () => Promise<Call>;
const to =
  (method: string, path: string | (() => Promise<string>), body?: unknown): Make =>
  async () => ({ method, path: `/identity/v3${typeof path === 'string' ? path : await path()}`, body });
/** The path of a new one. */
const one = (path: string, name: string, values: object) => async () =>
  `${path}/${(await must('POST', path, { body: { [name]: values } })).body[name].id}`;

const POLICY = { blob: 'x', type: 'y' };
const onePolicy = one('/policies', 'policy', POLICY);
const oneConsumer = one('/OS-OAUTH1/consumers', 'consumer', {});
const CONFIG = { identity: { driver: 'x' } };
const noConfig = async () => `/domains/${(await newDomain()).id}/config`;
const oneConfig = async () => {
  const path = await noConfig();
  await must('PUT', path, { body: { config: CONFIG } });
  return path;
};

const resource = () => ({ service_id: ownServices[1]?.id, resource_name: freshName('r') });
const register = async () => {
  const of = resource();
  const { body } = await must('POST', '/registered_limits', {
    body: { registered_limits: [{ ...of, default_limit: 1 }] },
  });
  return { of, path: `/registered_limits/${body.registered_limits[0].id}` };
};
const oneRegistered = async () => (await register()).path;
const newLimits = async () => ({ limits: [{ ...(await register()).of, project_id: projectId, resource_limit: 1 }] });
const oneLimit = async () =>
  `/limits/${(await must('POST', '/limits', { body: await newLimits() })).body.limits[0].id}`;

describePolicy<KeptAction>('identity, what is kept for others', cast, {
  'identity:get_policy': trial('admin', 200, to('GET', onePolicy)),
  'identity:list_policies': trial('admin', 200, to('GET', '/policies')),
  'identity:create_policy': trial('admin', 201, to('POST', '/policies', { policy: POLICY })),
  'identity:update_policy': trial('admin', 200, to('PATCH', onePolicy, { policy: { type: 'z' } })),
  'identity:delete_policy': trial('admin', 204, to('DELETE', onePolicy)),

  'identity:get_consumer': trial('admin', 200, to('GET', oneConsumer)),
  'identity:list_consumers': trial('admin', 200, to('GET', '/OS-OAUTH1/consumers')),
  'identity:create_consumer': trial('admin', 201, to('POST', '/OS-OAUTH1/consumers', { consumer: {} })),
  'identity:update_consumer': trial('admin', 200, to('PATCH', oneConsumer, { consumer: { description: 'z' } })),
  'identity:delete_consumer': trial('admin', 204, to('DELETE', oneConsumer)),

  'identity:get_registered_limit': trial('anyone', 200, to('GET', oneRegistered)),
  'identity:list_registered_limits': trial('anyone', 200, to('GET', '/registered_limits')),
  'identity:create_registered_limits': trial('admin', 201, async () => ({
    method: 'POST',
    path: '/identity/v3/registered_limits',
    body: { registered_limits: [{ ...resource(), default_limit: 1 }] },
  })),
  'identity:update_registered_limit': trial(
    'admin',
    200,
    to('PATCH', oneRegistered, { registered_limit: { default_limit: 2 } }),
  ),
  'identity:delete_registered_limit': trial('admin', 204, to('DELETE', oneRegistered)),
  'identity:get_limit_model': trial('anyone', 200, to('GET', '/limits/model')),
  'identity:get_limit': trial('reader', 200, to('GET', oneLimit), { stranger: 403 }),
  'identity:list_limits': trial('anyone', 200, to('GET', '/limits')),
  'identity:create_limits': trial('admin', 201, async () => ({
    method: 'POST',
    path: '/identity/v3/limits',
    body: await newLimits(),
  })),
  'identity:update_limit': trial('admin', 200, to('PATCH', oneLimit, { limit: { resource_limit: 2 } })),
  'identity:delete_limit': trial('admin', 204, to('DELETE', oneLimit)),

  'identity:get_domain_config': trial('admin', 200, to('GET', oneConfig)),
  'identity:get_domain_config_default': trial('admin', 200, to('GET', '/domains/config/default')),
  'identity:create_domain_config': trial('admin', 201, to('PUT', noConfig, { config: CONFIG })),
  'identity:update_domain_config': trial('admin', 200, to('PATCH', oneConfig, { config: CONFIG })),
  'identity:delete_domain_config': trial('admin', 204, to('DELETE', oneConfig)),
});
