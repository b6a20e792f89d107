import { Hono } from 'hono';
import { notFound } from '../../http/errors.ts';
import type { ComputeEnv } from '../http/env.ts';
import { untilProxiesEnd } from './network-faults.ts';

/** `/os-floating-ips` and `/os-floating-ip-pools`: there is no network outside yet, and so no pool of addresses. */
export const floatingIpRoutes = new Hono<ComputeEnv>();
export const floatingIpPoolRoutes = new Hono<ComputeEnv>();
floatingIpRoutes.use(untilProxiesEnd);
floatingIpPoolRoutes.use(untilProxiesEnd);

floatingIpPoolRoutes.get('/', (c) => c.json({ floating_ip_pools: [] }));
floatingIpRoutes.get('/', (c) => c.json({ floating_ips: [] }));
floatingIpRoutes.post('/', () => {
  throw notFound('Floating IP pool not found.');
});
for (const method of ['get', 'delete'] as const) {
  floatingIpRoutes[method]('/:id', (c) => {
    throw notFound(`Floating IP not found for ID ${c.req.param('id')}`);
  });
}
