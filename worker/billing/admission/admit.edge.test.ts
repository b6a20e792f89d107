import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { flavors } from '../../../db/schema/compute.ts';
import { HOUR } from '../../../test/billing/billing-world.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call } from '../../../test/edge-client.ts';
import { actorContextOf } from '../../../test/edge-context.ts';
import { runBatch } from '../../http/commit.ts';
import { ensureAccount } from '../accounts/default-account.ts';
import { productBody } from '../bodies.ts';
import { createProduct } from '../catalog/create-product.ts';

/** A region where its flavor costs 1 EUR an hour since the last full one. */
async function priced(): Promise<ComputeCloud> {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner();
  const [flavor] = await cloud.ctx.db.select().from(flavors).where(sql`region = ${cloud.region}`);
  const now = Date.now();
  const then = Math.floor(now / HOUR) * HOUR;
  const { product } = productBody.parse({
    product: {
      name: 'servers',
      item: 'server',
      item_type: flavor?.name,
      order_unit: 'months',
      interval: 'monthly',
      currency: 'EUR',
      // Every create of a month with some time left in it costs this.
      price: { effective_from: new Date(then).toISOString(), terms: { model: 'flat', amount: '1' } },
    },
  });
  const ctx = { ...actorContextOf('operator', ['admin']), region: cloud.region, clock: { nowMs: () => then - HOUR } };
  await createProduct(ctx, product);
  return cloud;
}

it('a server that the balance does not hold is refused, alone or among several, and one that it holds is made', async () => {
  const cloud = await priced();
  const billing = async (method: string, path: string, body?: unknown, token = cloud.admin.token) => {
    const url = `/r/${cloud.region}/aerostat/v1/billing/accounts/${path}`;
    const response = await call(method, url, { token, ...(body === undefined ? {} : { body }) });
    return ((await response.json()) as { account: { id: string } }).account;
  };
  // Its project is in no table, so that operators cannot open its account.
  await runBatch(cloud.ctx.db, ensureAccount(cloud.ctx, cloud.user.projectId));
  const { id } = await billing('GET', 'own', undefined, cloud.user.token);
  await billing('PATCH', id, { account: { mode: 'prepaid' } });
  const server = { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId, networks: 'none' };
  const create = (more: Record<string, unknown> = {}) =>
    cloud.call('POST', '/servers', { body: { server: { ...server, ...more } }, version: '2.37' });
  const refused = await create();
  expect([refused.status, await refused.json()]).toEqual([
    403,
    { forbidden: { code: 403, message: expect.stringMatching(/billing account is used up/) } },
  ]);
  await billing('POST', `${id}/deposits`, { movement: { amount: '3.00', currency: 'EUR', reference: 'bank-1' } });
  expect((await create({ min_count: 4, max_count: 4 })).status).toBe(403);
  expect((await create({ min_count: 2, max_count: 2 })).status).toBe(202);
  const raced = await Promise.all([1, 2, 3].map(() => create()));
  expect(raced.map(({ status }) => status).sort()).toEqual([202, 403, 403]);
  const [made] = await cloud.ctx.db.all<{ n: number }>(
    sql`SELECT count(*) AS n FROM servers WHERE region = ${cloud.region}`,
  );
  expect(made?.n).toBe(3);
});
