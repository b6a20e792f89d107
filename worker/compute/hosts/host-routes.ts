import { Hono } from 'hono';
import { z } from 'zod';
import { ApiError, badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { last } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { policy } from '../policy.ts';
import { hostRows } from './find-hosts.ts';
import { hostUsage } from './host-usage.ts';
import { setService } from './services.ts';

/** `/os-hosts`: the oldest face of the machines, gone from 2.43. */
export const hostRoutes = new Hono<ComputeEnv>();

const HOSTS_UNTIL = 42;
const word = z
  .string()
  .transform((text) => text.trim().toLowerCase())
  .pipe(z.enum(['enable', 'disable']));
export const updateBody = z.strictObject({ status: word.optional(), maintenance_mode: word.optional() });

hostRoutes.use(async (c, next) => {
  if (c.get('microversion') > HOSTS_UNTIL) throw notFound('The resource could not be found.');
  await next();
});

hostRoutes.get('/', async (c) => {
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:os-hosts:list');
  const zone = last(c.req.queries(), 'zone');
  const rows = (await hostRows(ctx)).filter((row) => row.state === 'enabled' && (!zone || row.zone === zone));
  return c.json({ hosts: rows.map((row) => ({ host_name: row.name, service: 'compute', zone: row.zone })) });
});

hostRoutes.get('/:name', async (c) => {
  const name = c.req.param('name');
  const resources = await hostUsage(actorOf(c), name);
  return c.json({ host: resources.map((resource) => ({ resource: { host: name, ...resource } })) });
});

hostRoutes.put('/:name', async (c) => {
  const host = c.req.param('name');
  const ctx = actorOf(c);
  authorize(ctx, policy, 'os_compute_api:os-hosts:update');
  const { status, maintenance_mode: maintenance } = await checkedBody(c, updateBody);
  if (status === undefined && maintenance === undefined)
    throw badRequest("Invalid input: no 'status' or 'maintenance_mode'");
  await findHost(c, host);
  if (maintenance !== undefined) throw notOffered();
  await setService(ctx, { host, binary: 'nova-compute' }, { status: status === 'enable' ? 'enabled' : 'disabled' });
  return c.json({ host, status: status === 'enable' ? 'enabled' : 'disabled' });
});

const notOffered = () => new ApiError(501, 'Virt driver does not implement host power actions or maintenance mode.');

async function findHost(c: ComputeContext, name: string): Promise<void> {
  const known = (await hostRows(actorOf(c))).some((row) => row.name === name);
  if (!known) throw notFound(`Compute host ${name} could not be found.`);
}

/** What only a few of Nova's drivers did to the machines themselves. */
for (const [path, verb] of [
  ['startup', 'start'],
  ['shutdown', 'shutdown'],
  ['reboot', 'reboot'],
] as const) {
  hostRoutes.get(`/:name/${path}`, async (c) => {
    authorize(actorOf(c), policy, `os_compute_api:os-hosts:${verb}`);
    await findHost(c, c.req.param('name'));
    throw notOffered();
  });
}
