import { Hono } from 'hono';
import { allowedMethods, noSuchRoute } from '../http/allowed-methods.ts';
import type { AppEnv } from '../http/context.ts';
import { ApiError } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { authenticate } from '../identity/authenticate.ts';
import { addressGroupRoutes } from './address-groups/routes.ts';
import { addressScopeRoutes } from './address-scopes/routes.ts';
import { agentRoutes } from './agents/routes.ts';
import { autoTopologyRoutes } from './auto-topologies/routes.ts';
import { ipAvailabilityRoutes, serviceProviderRoutes, zoneRoutes } from './availability/routes.ts';
import { discovery } from './discovery.ts';
import { renderFault } from './faults.ts';
import { floatingIpRoutes } from './floating-ips/routes.ts';
import { networkRoutes } from './networks/routes.ts';
import { portForwardingRoutes } from './port-forwardings/routes.ts';
import { portRoutes } from './ports/routes.ts';
import { qosRoutes } from './qos/routes.ts';
import { quotaRoutes } from './quotas/routes.ts';
import { rbacPolicyRoutes } from './rbac/routes.ts';
import { routerRoutes } from './routers/routes.ts';
import { securityGroupRoutes, securityGroupRuleRoutes } from './security-groups/routes.ts';
import { subnetpoolRoutes } from './subnetpools/routes.ts';
import { subnetRoutes } from './subnets/routes.ts';
import { tagRoutes } from './tags/routes.ts';
import {
  taggedFloatingIp,
  taggedGroup,
  taggedNetwork,
  taggedPort,
  taggedQosPolicy,
  taggedRouter,
  taggedSubnet,
  taggedSubnetpool,
} from './tags/tagged.ts';

const resources = new Hono<AppEnv>()
  .use(authenticate)
  .use(async (c, next) => {
    // Neutron has no HEAD; the app would answer it as a GET.
    if (c.req.method === 'HEAD') throw new ApiError(405, 'The method HEAD is not allowed for this resource.');
    await next();
  })
  .route('/networks/:id/tags', tagRoutes(taggedNetwork))
  .route('/subnets/:id/tags', tagRoutes(taggedSubnet))
  .route('/ports/:id/tags', tagRoutes(taggedPort))
  .route('/security-groups/:id/tags', tagRoutes(taggedGroup))
  .route('/networks', networkRoutes)
  .route('/subnets', subnetRoutes)
  .route('/ports', portRoutes)
  .route('/security-groups', securityGroupRoutes)
  .route('/security-group-rules', securityGroupRuleRoutes)
  .route('/routers/:id/tags', tagRoutes(taggedRouter))
  .route('/routers', routerRoutes)
  .route('/floatingips/:id/tags', tagRoutes(taggedFloatingIp))
  .route('/floatingips/:floatingip/port_forwardings', portForwardingRoutes)
  .route('/floatingips', floatingIpRoutes)
  .route('/subnetpools/:id/tags', tagRoutes(taggedSubnetpool))
  .route('/subnetpools', subnetpoolRoutes)
  .route('/address-groups', addressGroupRoutes)
  .route('/address-scopes', addressScopeRoutes)
  .route('/rbac-policies', rbacPolicyRoutes)
  // Neutron's own path of these tags, and the one that openstacksdk takes.
  .route('/policies/:id/tags', tagRoutes(taggedQosPolicy))
  .route('/qos/policies/:id/tags', tagRoutes(taggedQosPolicy))
  .route('/qos', qosRoutes)
  .route('/auto-allocated-topology', autoTopologyRoutes)
  .route('/agents', agentRoutes)
  .route('/network-ip-availabilities', ipAvailabilityRoutes)
  .route('/availability_zones', zoneRoutes)
  .route('/service-providers', serviceProviderRoutes)
  .route('/quotas', quotaRoutes);

/** The Networking API v2.0. */
export const network = new Hono<AppEnv>();
network.onError(renderFault);
network.use(refuseNul);
network.route('/', discovery);
network.route('/v2.0', resources);
network.all('*', (c) => {
  throw noSuchRoute(allowedMethods(network, c.req.path.replace(/^.*?\/networking/, '')), c.req.method);
});
