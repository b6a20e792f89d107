import { Hono } from 'hono';
import { notFound } from '../http/errors.ts';
import { refuseNul } from '../http/refuse-nul.ts';
import { authenticate } from '../identity/authenticate.ts';
import { aggregateRoutes } from './aggregates/routes.ts';
import { consoleTokenRoutes } from './consoles/routes.ts';
import { renderFault } from './faults.ts';
import { flavorRoutes } from './flavors/routes.ts';
import { hostRoutes } from './hosts/host-routes.ts';
import { hypervisorRoutes, zoneRoutes } from './hosts/routes.ts';
import { serviceRoutes } from './hosts/service-routes.ts';
import type { ComputeEnv } from './http/env.ts';
import { requestIdHeader, settle } from './http/middleware.ts';
import { versionDocument, versionList } from './http/version-documents.ts';
import { keypairRoutes } from './keypairs/routes.ts';
import { extensionRoutes } from './legacy/extensions.ts';
import { externalEventRoutes } from './legacy/external-events.ts';
import { floatingIpPoolRoutes, floatingIpRoutes } from './legacy/floating-ips.ts';
import { goneRoutes } from './legacy/gone.ts';
import { imageRoutes } from './legacy/image-routes.ts';
import { networkRoutes, tenantNetworkRoutes } from './legacy/networks.ts';
import { securityGroupRuleRoutes } from './legacy/security-group-rules.ts';
import { securityGroupRoutes } from './legacy/security-groups.ts';
import { volumeSnapshotRoutes } from './legacy/volume-snapshots.ts';
import { limitRoutes } from './limits.ts';
import { migrationRoutes } from './migrations/routes.ts';
import { quotaClassRoutes, quotaSetRoutes } from './quotas/routes.ts';
import { serverGroupRoutes } from './server-groups/routes.ts';
import { serverRoutes } from './servers/routes.ts';
import { auditLogRoutes } from './usage/audit-log.ts';
import { usageRoutes } from './usage/routes.ts';

/** Everything under a version; the path may name the token's project, as old clients do. */
function versioned(path: 'v2' | 'v2.1') {
  return new Hono<ComputeEnv>()
    .use(authenticate, settle(path))
    .route('/flavors', flavorRoutes)
    .route('/servers', serverRoutes)
    .route('/os-keypairs', keypairRoutes)
    .route('/os-console-auth-tokens', consoleTokenRoutes)
    .route('/limits', limitRoutes)
    .route('/os-migrations', migrationRoutes)
    .route('/os-quota-sets', quotaSetRoutes)
    .route('/os-quota-class-sets', quotaClassRoutes)
    .route('/os-server-groups', serverGroupRoutes)
    .route('/os-availability-zone', zoneRoutes)
    .route('/os-aggregates', aggregateRoutes)
    .route('/os-hosts', hostRoutes)
    .route('/os-hypervisors', hypervisorRoutes)
    .route('/os-services', serviceRoutes)
    .route('/os-simple-tenant-usage', usageRoutes)
    .route('/os-instance_usage_audit_log', auditLogRoutes)
    .route('/os-server-external-events', externalEventRoutes)
    .route('/os-assisted-volume-snapshots', volumeSnapshotRoutes)
    .route('/extensions', extensionRoutes)
    .route('/os-security-groups', securityGroupRoutes)
    .route('/os-security-group-rules', securityGroupRuleRoutes)
    .route('/os-floating-ips', floatingIpRoutes)
    .route('/os-floating-ip-pools', floatingIpPoolRoutes)
    .route('/images', imageRoutes)
    .route('/os-networks', networkRoutes)
    .route('/os-tenant-networks', tenantNetworkRoutes)
    .route('/', goneRoutes);
}

/** Nova's API at `/compute`: versions for everyone, all else for a token. */
export const compute = new Hono<ComputeEnv>();

compute.onError(renderFault);
compute.use(requestIdHeader);
compute.use(refuseNul);
compute.get('/', (c) => c.json(versionList(`${c.get('ctx').baseUrl}/compute`)));
for (const path of ['v2', 'v2.1'] as const) {
  compute.get(`/${path}`, (c) => c.json(versionDocument(`${c.get('ctx').baseUrl}/compute`, path)));
  compute.route(`/${path}`, versioned(path));
  compute.route(`/${path}/:project_id{[0-9a-f-]+}`, versioned(path));
}
compute.all('*', () => {
  throw notFound('The resource could not be found.');
});
