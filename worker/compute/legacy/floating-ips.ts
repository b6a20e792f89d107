import { asc, eq, type SQL, sql } from 'drizzle-orm';
import { Hono } from 'hono';
import { z } from 'zod';
import { networks } from '../../../db/schema/network.ts';
import { floatingIps } from '../../../db/schema/routers.ts';
import type { ActorContext } from '../../http/context.ts';
import { ApiError, forbidden, notFound } from '../../http/errors.ts';
import { requireProject } from '../../http/policy.ts';
import { createValues } from '../../network/api/attributes.ts';
import { floatingIpAttributes } from '../../network/floating-ips/attributes.ts';
import { createFloatingIps } from '../../network/floating-ips/create-floating-ips.ts';
import { deleteFloatingIp } from '../../network/floating-ips/delete-floating-ip.ts';
import { type FloatingIpRow, listFloatingIps, showFloatingIp } from '../../network/floating-ips/floating-ip-rows.ts';
import { listNetworks } from '../../network/networks/list-networks.ts';
import type { NetworkRow } from '../../network/networks/network-rows.ts';
import { overQuota } from '../../network/quotas/assert-quota.ts';
import { actorOf, type ComputeContext, type ComputeEnv } from '../http/env.ts';
import { PAGE_MAX } from '../http/paging.ts';
import { checkedBody } from '../http/validate.ts';
import { asNova, untilProxiesEnd } from './network-faults.ts';

/** `/os-floating-ips` and `/os-floating-ip-pools`: networking's floating IPs and networks outside as Nova showed them until 2.35. */
export const floatingIpRoutes = new Hono<ComputeEnv>();
export const floatingIpPoolRoutes = new Hono<ComputeEnv>();
floatingIpRoutes.use(untilProxiesEnd);
floatingIpPoolRoutes.use(untilProxiesEnd);

const POOL_CHARS_MAX = 255;
export const createBody = z.union([z.strictObject({ pool: z.string().max(POOL_CHARS_MAX).nullish() }), z.null()]);

const page = (orderBy: SQL[], where: SQL) => ({
  where,
  orderBy,
  limit: PAGE_MAX,
  reverse: false,
  fields: [],
  paged: false,
});

/** The networks outside that the actor may have addresses of. */
const pools = (ctx: ActorContext): Promise<NetworkRow[]> =>
  listNetworks(ctx, page([asc(networks.createdAtMs), asc(networks.id)], eq(networks.external, true)));

const floatingIpView = (row: FloatingIpRow, outside: NetworkRow[]) => ({
  id: row.id,
  ip: row.floatingIpAddress,
  pool: outside.find(({ id }) => id === row.floatingNetworkId)?.name || row.floatingNetworkId,
  fixed_ip: row.fixedIpAddress,
  instance_id: row.port?.device_id || null,
});

floatingIpPoolRoutes.get('/', async (c) =>
  c.json({ floating_ip_pools: (await pools(actorOf(c))).map(({ id, name }) => ({ name: name || id })) }),
);

floatingIpRoutes.get('/', async (c) => {
  const ctx = requireProject(actorOf(c));
  const own = eq(floatingIps.projectId, ctx.actor.projectId);
  const rows = await listFloatingIps(ctx, page([asc(floatingIps.createdAtMs), asc(floatingIps.id)], own));
  const outside = await pools(ctx);
  return c.json({ floating_ips: rows.map((row) => floatingIpView(row, outside)) });
});

floatingIpRoutes.post('/', async (c) => {
  const ctx = requireProject(actorOf(c));
  const wanted = (await checkedBody(c, createBody))?.pool ?? null;
  const outside = await pools(ctx);
  const pool =
    wanted === null
      ? (outside.find((network) => network.isDefault) ?? outside[0])
      : (outside.find(({ id }) => id === wanted) ?? outside.find(({ name }) => name === wanted));
  if (!pool) throw notFound('Floating IP pool not found.');
  const values = createValues(floatingIpAttributes, { floating_network_id: pool.id });
  const rows = await createFloatingIps(ctx, [{ ...values, projectId: ctx.actor.projectId }]).catch((error: unknown) => {
    throw refusal(error, wanted);
  });
  return c.json({ floating_ip: floatingIpView(rows[0] as FloatingIpRow, outside) });
});

/** How Nova words that there are no more addresses, or that the project may have no more. */
function refusal(error: unknown, pool: string | null): unknown {
  if (overQuota(error) !== undefined) {
    return forbidden(pool === null ? 'IP allocation over quota.' : `IP allocation over quota in pool ${pool}.`);
  }
  if (!(error instanceof ApiError) || error.type !== 'IpAddressGenerationFailure') return error;
  return notFound(pool === null ? 'No more floating IPs available.' : `No more floating IPs in pool ${pool}.`);
}

async function shown(c: ComputeContext): Promise<FloatingIpRow> {
  const id = c.req.param('id') ?? '';
  const ctx = requireProject(actorOf(c));
  const row = await showFloatingIp(ctx, id).catch((error: unknown) => {
    throw error instanceof ApiError && error.status === 404 ? notFound(`Floating IP not found for ID ${id}`) : error;
  });
  return row;
}

floatingIpRoutes.get('/:id', async (c) => {
  const row = await shown(c);
  return c.json({ floating_ip: floatingIpView(row, await pools(actorOf(c))) });
});

floatingIpRoutes.delete('/:id', async (c) => {
  const { id } = await shown(c);
  await asNova(() => deleteFloatingIp(actorOf(c), { id, expectedRevision: undefined }));
  return c.body(null, 202);
});

/** The floating IP of the actor's with an address. @throws ApiError 404 */
export async function floatingIpAt(ctx: ActorContext, address: string): Promise<FloatingIpRow> {
  const [row] = await listFloatingIps(
    ctx,
    page([asc(floatingIps.id)], sql`floating_ips.floating_ip_address = ${address}`),
  );
  if (!row) throw notFound('floating IP not found');
  return row;
}
