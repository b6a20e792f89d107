import { env, SELF } from 'cloudflare:test';
import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { openDatabase } from '../../../db/client.ts';
import { pay, prepay, sell } from '../../../test/billing/sell.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { call, ORIGIN } from '../../../test/edge-client.ts';
import { actorContextOf } from '../../../test/edge-context.ts';
import { createServers } from '../../compute/servers/create-server.ts';
import type { NewServer } from '../../compute/servers/new-server.ts';
import { newServerOf } from '../../compute/servers/new-server.ts';
import type { ActorContext, ProjectContext } from '../../http/context.ts';
import { createFloatingIps } from '../../network/floating-ips/create-floating-ips.ts';
import { createRouters } from '../../network/routers/create-routers.ts';

let cloud: ComputeCloud;
beforeEach(async () => {
  cloud = await ComputeCloud.open();
  await cloud.addRunner();
});

const flavorName = (id = cloud.flavorId) => `f-${id}`;
const act = async (id: string, body: object, as = cloud.user): Promise<[number, string]> => {
  const response = await cloud.call('POST', `/servers/${id}/action`, { body, as, version: '2.91' });
  const text = await response.text();
  return [response.status, text];
};
/** What is claimed of a resource, in EUR, by product. */
const claims = async (resourceId: string) =>
  Object.fromEntries(
    (
      await cloud.ctx.db.all<{ product: string; eur: number }>(
        sql`SELECT product_id AS product, amount_micros / 1000000.0 AS eur FROM billing_holds WHERE resource_id = ${resourceId}`,
      )
    ).map(({ product, eur }) => [product, eur]),
  );
const network = async (path: string, body: object) => {
  const response = await call('POST', `/r/${cloud.region}/networking/v2.0/${path}`, { token: cloud.user.token, body });
  return { status: response.status, body: await response.text() };
};
const UNAFFORDABLE = /does not hold what this costs/;
const USED_UP = /used up or suspended/;
const external = () =>
  cloud.addNetwork('192.0.2.0/24', {
    as: cloud.admin,
    'router:external': true,
    'provider:network_type': 'local',
  });

describe('networks', () => {
  it('refuse floating IPs that the balance does not hold, alone, together and in a race, in their own words', async () => {
    await sell(cloud, { item: 'floating_ip', amount: '2' });
    await prepay(cloud, '5');
    const { networkId } = await external();
    const one = { floating_network_id: networkId };
    const three = await network('floatingips', { floatingips: [one, one, one] });
    expect([three.status, three.body]).toEqual([403, expect.stringMatching(/NeutronError.*does not hold/)]);
    const raced = await Promise.all([1, 2, 3, 4].map(() => network('floatingips', { floatingip: one })));
    expect(raced.map(({ status }) => status).sort()).toEqual([201, 201, 403, 403]);
  });

  it('refuse routers where they have a price', async () => {
    await prepay(cloud, '5');
    expect((await network('routers', { router: {} })).status).toBe(201);
    await sell(cloud, { item: 'router', amount: '3' });
    const raced = await Promise.all([1, 2, 3].map(() => network('routers', { router: {} })));
    expect(raced.map(({ status }) => status).sort()).toEqual([201, 403, 403]);
  });
});

describe('images', () => {
  const create = async () => {
    const body = { name: 'i', disk_format: 'raw', container_format: 'bare' };
    const made = await call('POST', `/r/${cloud.region}/image/v2/images`, { token: cloud.user.token, body });
    return ((await made.json()) as { id: string }).id;
  };
  const send = (id: string, path: string, bytes: number) =>
    SELF.fetch(`${ORIGIN}/r/${cloud.region}/image/v2/images/${id}/${path}`, {
      method: 'PUT',
      headers: { 'x-auth-token': cloud.user.token, 'content-type': 'application/octet-stream' },
      body: new Uint8Array(bytes),
    });
  const statusOf = async (id: string) => {
    const shown = await call('GET', `/r/${cloud.region}/image/v2/images/${id}`, { token: cloud.user.token });
    return ((await shown.json()) as { status: string }).status;
  };
  /** Some EUR a byte and month; what is left of the month is nearly nothing at its end, so that nobody counts on a sum. */
  const priced = () => sell(cloud, { item: 'image', amount: '0', terms: { minimum: '2' }, more: { quantity_per: 1 } });

  it('are taken where their size can be paid for, and not where it cannot; what came is dropped', async () => {
    await priced();
    await prepay(cloud, '3');
    const [first, second] = [await create(), await create()];
    expect((await send(first, 'file', 10)).status).toBe(204);
    const refused = await send(second, 'file', 10);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
    expect(await statusOf(second)).toBe('queued');
    await pay(cloud, '1');
    expect((await send(second, 'file', 10)).status).toBe(204);
  });

  it('that are staged are paid for from then on, and not again when they are imported', async () => {
    const product = await priced();
    await prepay(cloud, '1');
    const id = await create();
    const refused = await send(id, 'stage', 10);
    expect([refused.status, await refused.text()]).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
    expect(await statusOf(id)).toBe('queued');
    await pay(cloud, '1');
    expect((await send(id, 'stage', 10)).status).toBe(204);
    expect(await claims(id)).toEqual({ [product]: 2 });
    const body = { method: { name: 'glance-direct' } };
    const url = `/r/${cloud.region}/image/v2/images/${id}/import`;
    const take = () => call('POST', url, { token: cloud.user.token, body });
    await cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = 1 WHERE region = ${cloud.region}`);
    expect((await take()).status).toBe(403);
    await cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = NULL WHERE region = ${cloud.region}`);
    expect((await take()).status).toBe(202);
    expect(await statusOf(id)).toBe('active');
    expect(await claims(id)).toEqual({ [product]: 2 });
  });
});

describe('a resize', () => {
  const priced = async () => {
    const [small, large] = [cloud.flavorId, await cloud.addFlavor({ ramMib: 1024 })];
    const products = [
      await sell(cloud, { item: 'server', itemType: flavorName(small), amount: '1' }),
      await sell(cloud, { item: 'server', itemType: flavorName(large), amount: '3' }),
    ];
    return { small, large, products: products as [string, string] };
  };

  it('claims its flavor beside the one before it, which is neither lost nor counted twice', async () => {
    const { large, products } = await priced();
    await prepay(cloud, '3');
    const id = await cloud.createActive();
    expect(await claims(id)).toEqual({ [products[0]]: 1 });
    const resize = { resize: { flavorRef: large } };
    const refused = await act(id, resize);
    expect(refused).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
    expect(await claims(id)).toEqual({ [products[0]]: 1 });
    await pay(cloud, '1');
    expect((await act(id, resize))[0]).toBe(202);
    expect(await claims(id)).toEqual({ [products[0]]: 1, [products[1]]: 3 });
    // Nothing is left: nobody else gets what is claimed.
    expect(await cloud.refusal({})).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
  });

  it('to what is cheaper claims nothing, but is refused to who may spend nothing', async () => {
    const { small, large, products } = await priced();
    await prepay(cloud, '3.50');
    const id = await cloud.createActive({ flavorRef: large });
    await cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = 1 WHERE region = ${cloud.region}`);
    expect(await act(id, { resize: { flavorRef: small } })).toEqual([403, expect.stringMatching(USED_UP)]);
    await cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = NULL WHERE region = ${cloud.region}`);
    expect((await act(id, { resize: { flavorRef: small } }))[0]).toBe(202);
    expect(await claims(id)).toEqual({ [products[1]]: 3 });
  });
});

describe('what turns a server on', () => {
  const stopped = (id: string) => cloud.put(id, { vmState: 'stopped', taskState: null, powerState: 4 });
  const weighed = (weights: Record<string, string>) =>
    sell(cloud, {
      item: 'server',
      itemType: flavorName(),
      amount: '4',
      terms: { weights },
    });
  /** A server that was there before anything had a price. */
  async function offServer(weights: Record<string, string>, vmState: 'stopped' | 'error' = 'stopped') {
    const id = await cloud.createActive();
    await stopped(id);
    await cloud.put(id, { vmState });
    const product = await weighed(weights);
    return { id, product };
  }

  it('is refused where the balance does not hold by how much it is dearer, and claims that', async () => {
    const { id, product } = await offServer({ stopped: '0' });
    await prepay(cloud, '3');
    const ways = [{ 'os-start': null }, { reboot: { type: 'HARD' } }, { rescue: {} }];
    for (const way of ways) expect(await act(id, way)).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
    await pay(cloud, '1');
    expect((await act(id, { 'os-start': null }))[0]).toBe(202);
    expect(await claims(id)).toEqual({ [product]: 4 });
    // What was claimed is not asked for again.
    await stopped(id);
    expect((await act(id, { 'os-start': null }))[0]).toBe(202);
    expect(await claims(id)).toEqual({ [product]: 4 });
  });

  it('claims nothing where it costs no more than before', async () => {
    const { id } = await offServer({ paused: '0.5' });
    await prepay(cloud, '1');
    expect((await act(id, { 'os-start': null }))[0]).toBe(202);
    expect(await claims(id)).toEqual({});
  });

  it('is dearer than what failed, whatever the price says of states', async () => {
    const { id } = await offServer({}, 'error');
    await prepay(cloud, '3');
    expect(await act(id, { rescue: {} })).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
  });

  it('is refused while the account is suspended, by whatever verb; all may stop', async () => {
    const [off, on, paused] = [await cloud.createActive(), await cloud.createActive(), await cloud.createActive()];
    await stopped(off);
    await cloud.put(paused, { vmState: 'paused' });
    await prepay(cloud, '3');
    await cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = 1 WHERE region = ${cloud.region}`);
    const no = [403, expect.stringMatching(USED_UP)];
    for (const way of [{ 'os-start': null }, { reboot: { type: 'HARD' } }, { rescue: {} }])
      expect(await act(off, way), JSON.stringify(way)).toEqual(no);
    expect(await act(paused, { unpause: null })).toEqual(no);
    expect(await act(on, { createImage: { name: 'copy' } })).toEqual(no);
    expect((await act(on, { shelve: null }))[0]).toBe(202);
    await cloud.put(on, { taskState: null });
    expect((await act(on, { 'os-stop': null }))[0]).toBe(202);
    expect((await act(off, { 'os-start': null }, cloud.admin))[0]).toBe(202);
  });
});

describe('ways around', () => {
  const suspend = () =>
    cloud.ctx.db.run(sql`UPDATE billing_accounts SET suspended_at_ms = 1 WHERE region = ${cloud.region}`);

  it.each([
    ['rescue', 'active', { rescue: {} }],
    ['hard reboot', 'active', { reboot: { type: 'HARD' } }],
    ['soft reboot', 'active', { reboot: { type: 'SOFT' } }],
    ['rebuild', 'error', null],
  ])('are shut while suspended: %s of what is %s', async (_, vmState, body) => {
    await prepay(cloud, '5');
    const id = await cloud.createActive();
    await cloud.put(id, { vmState, taskState: null } as never);
    await suspend();
    expect(await act(id, body ?? { rebuild: { imageRef: cloud.imageId } })).toEqual([
      403,
      expect.stringMatching(USED_UP),
    ]);
  });

  it('are shut: a rebuild of what failed claims what it costs once it runs', async () => {
    await sell(cloud, { item: 'server', itemType: flavorName(), amount: '1' });
    await prepay(cloud, '1.5');
    const id = await cloud.createActive();
    await cloud.put(id, { vmState: 'error', taskState: null });
    await cloud.ctx.db.run(sql`DELETE FROM billing_holds WHERE resource_id = ${id}`);
    expect((await act(id, { rebuild: { imageRef: cloud.imageId } }))[0]).toBe(202);
    expect(Object.values(await claims(id))).toEqual([1]);
  });

  it('are shut: a flavor by the hour is not cheaper than one by the month for asking less at first', async () => {
    await sell(cloud, { item: 'server', itemType: flavorName(), amount: '5' });
    const large = await cloud.addFlavor({ ramMib: 1024 });
    await sell(cloud, { item: 'server', itemType: flavorName(large), amount: '4', more: { interval: 'hourly' } });
    await prepay(cloud, '5');
    const id = await cloud.createActive();
    expect(await act(id, { resize: { flavorRef: large } })).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
  });

  it('are shut: a resize to what is cheap is not reverted to what nobody can pay for', async () => {
    await sell(cloud, { item: 'server', itemType: flavorName(), amount: '5' });
    const small = await cloud.addFlavor({ ramMib: 256 });
    await sell(cloud, { item: 'server', itemType: flavorName(small), amount: '1' });
    await prepay(cloud, '5');
    const id = await cloud.createActive();
    expect((await act(id, { resize: { flavorRef: small } }))[0]).toBe(202);
    await cloud.put(id, { vmState: 'resized', taskState: null });
    await cloud.ctx.db.run(
      sql`UPDATE server_migrations SET phase = 'held', status = 'finished', held = 'old' WHERE server_id = ${id}`,
    );
    // The first purchase of what it is now took the old claim's place, and the money went elsewhere.
    await cloud.ctx.db.run(sql`DELETE FROM billing_holds WHERE resource_id = ${id}`);
    await cloud.ctx.db.run(
      sql`UPDATE billing_balances SET balance_micros = 2000000 WHERE ledger_account = ${`customer:${cloud.region}.${cloud.user.projectId}`}`,
    );
    expect(await act(id, { revertResize: null })).toEqual([403, expect.stringMatching(UNAFFORDABLE)]);
    await pay(cloud, '5');
    expect((await act(id, { revertResize: null }))[0]).toBe(202);
  });
});

describe('round trips to the database', () => {
  /** A context that counts the requests that reach the database. */
  function counted() {
    const { DATABASE_URL: url, DATABASE_TOKEN: token } = env as unknown as Record<string, string>;
    let requests = 0;
    const counting = ((request: Request) => {
      requests += 1;
      return fetch(request);
    }) as typeof fetch;
    const db = openDatabase({ url: url ?? '', token: token ?? '', fetch: counting });
    const actor = { ...actorContextOf(cloud.user.projectId).actor, userId: cloud.user.userId };
    const ctx: ActorContext = { ...cloud.ctx, actor, db };
    return {
      ctx: ctx as ProjectContext,
      async of(work: () => Promise<unknown>) {
        await work();
        const before = requests;
        await work();
        return requests - before;
      },
    };
  }
  const server = (ctx: ActorContext): NewServer =>
    newServerOf(
      ctx,
      { server: { name: 's', imageRef: cloud.imageId, flavorRef: cloud.flavorId, networks: 'none' } } as never,
      37,
    );
  const router = () => ({
    ...{ projectId: cloud.user.projectId, name: 'r', description: '', admin_state_up: true },
    ...{ external_gateway_info: null, availability_zone_hints: [] },
  });
  const address = (networkId: string) => ({
    projectId: cloud.user.projectId,
    ...{ floating_network_id: networkId, description: '', dns_name: '', dns_domain: '' },
  });

  it('of a create are as many as without billing: one to read, where it reads, and one to write', async () => {
    const { ctx, of } = counted();
    const { networkId } = await external();
    const free = {
      server: await of(() => createServers(ctx, server(ctx))),
      router: await of(() => createRouters(ctx, [router()] as never)),
      address: await of(() => createFloatingIps(ctx, [address(networkId)] as never)),
    };
    expect(free).toEqual({ server: 2, router: 1, address: 2 });
    await sell(cloud, { item: 'server', itemType: flavorName(), amount: '1' });
    await sell(cloud, { item: 'floating_ip', amount: '1' });
    expect({
      server: await of(() => createServers(ctx, server(ctx))),
      address: await of(() => createFloatingIps(ctx, [address(networkId)] as never)),
    }).toEqual({ server: 2, address: 2 });
  });
});
