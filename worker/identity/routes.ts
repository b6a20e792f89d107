import { Hono } from 'hono';
import { createMiddleware } from 'hono/factory';
import { allowedMethods, noSuchRoute } from '../http/allowed-methods.ts';
import type { AppEnv } from '../http/context.ts';
import { unauthorized } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { applicationCredentialRoutes } from './application-credentials/routes.ts';
import { grantRoutes } from './assignments/grant-routes.ts';
import { assignmentRoutes } from './assignments/routes.ts';
import { catalogRoutes } from './catalog/routes.ts';
import { credentialRoutes } from './credentials/routes.ts';
import { versionDocument } from './discovery.ts';
import { domainConfigRoutes } from './domain-configs/routes.ts';
import { domainRoutes } from './domains/routes.ts';
import { ec2TokenRoutes, keyPairRoutes, s3TokenRoutes } from './ec2/routes.ts';
import { endpointFilterRoutes } from './endpoint-filter/routes.ts';
import { federatedLoginRoutes } from './federation/login/routes.ts';
import { federationRoutes } from './federation/routes.ts';
import { groupRoutes } from './groups/routes.ts';
import { renderFault } from './http/faults.ts';
import { forbiddenAction } from './http/forbidden-action.ts';
import { limitRoutes, registeredLimitRoutes } from './limits/routes.ts';
import { oauthRoutes } from './oauth/routes.ts';
import { policyRoutes } from './policies/routes.ts';
import { projectRoutes } from './projects/routes.ts';
import { roleInferenceRoutes, roleRoutes } from './roles/routes.ts';
import { SIGNED_REQUEST } from './tokens/delegation.ts';
import { loginRoutes, ownScopeRoutes, tokenRoutes } from './tokens/routes.ts';
import { checkTokenOf } from './tokens/token-checker.ts';
import { trustRoutes } from './trusts/routes.ts';
import { passwordRoutes, userRoutes } from './users/routes.ts';

/** Sets the actor, as `authenticate` does before the other services; here a refusal is Keystone's own. */
const requireToken = createMiddleware<AppEnv>(async (c, next) => {
  const checked = await checkTokenOf(c);
  if (!checked) throw unauthorized();
  if (checked.token.methods.includes(SIGNED_REQUEST)) throw forbiddenAction();
  c.set('actor', checked.actor);
  await next();
});

/** The paths under /v3 that answer nobody without a token. */
const PROTECTED = [
  'auth',
  'domains',
  'projects',
  'users',
  'groups',
  'roles',
  'role_inferences',
  'role_assignments',
  'system',
  'OS-INHERIT',
  'services',
  'endpoints',
  'regions',
  'OS-EP-FILTER',
  'OS-TRUST',
  'credentials',
  'policies',
  'limits',
  'registered_limits',
  'OS-OAUTH1',
  'ec2tokens',
  's3tokens',
  'OS-FEDERATION',
];

const v3 = new Hono<AppEnv>()
  .get('/', (c) => c.json({ version: versionDocument(c.get('ctx').baseUrl) }))
  .route('/auth', loginRoutes)
  .route('/users', passwordRoutes)
  .route('/', federatedLoginRoutes);
for (const path of PROTECTED) v3.use(`/${path}/*`, requireToken);
v3.route('/auth', tokenRoutes)
  .route('/auth', ownScopeRoutes)
  .route('/domains', domainRoutes)
  .route('/domains', domainConfigRoutes)
  .route('/projects', projectRoutes)
  .route('/users', userRoutes)
  .route('/users', applicationCredentialRoutes)
  .route('/users', keyPairRoutes)
  .route('/credentials', credentialRoutes)
  .route('/policies', policyRoutes)
  .route('/limits', limitRoutes)
  .route('/registered_limits', registeredLimitRoutes)
  .route('/OS-OAUTH1', oauthRoutes)
  .route('/ec2tokens', ec2TokenRoutes)
  .route('/s3tokens', s3TokenRoutes)
  .route('/groups', groupRoutes)
  .route('/roles', roleRoutes)
  .route('/role_inferences', roleInferenceRoutes)
  .route('/role_assignments', assignmentRoutes)
  .route('/OS-FEDERATION', federationRoutes)
  .route('/OS-FEDERATION', ownScopeRoutes)
  .route('/', grantRoutes)
  .route('/OS-EP-FILTER', endpointFilterRoutes)
  .route('/OS-TRUST', trustRoutes)
  .route('/', catalogRoutes);

/** Keystone: who there is, and what they may do where. */
export const identity = new Hono<AppEnv>();
identity.use(refuseNul);
identity.use(async (c, next) => {
  await next();
  c.res.headers.set('vary', 'X-Auth-Token');
});
identity.get('/', (c) => {
  const { baseUrl } = c.get('ctx');
  return c.json({ versions: { values: [versionDocument(baseUrl)] } }, 300, { location: `${baseUrl}/identity/v3/` });
});
identity.route('/v3', v3);
identity.all('*', (c) => {
  const allowed = allowedMethods(identity, c.req.path.replace(/^.*?\/identity/, ''));
  if (c.req.method === 'OPTIONS' && allowed.length > 0) return c.body(null, 200, { allow: allowed.join(', ') });
  throw noSuchRoute(allowed, c.req.method);
});
identity.onError(renderFault);
