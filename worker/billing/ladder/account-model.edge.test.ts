import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import * as account from '../../../test/billing/account-model.ts';
import { violationsOf } from '../../../test/billing/billing-world.ts';
import { ComputeCloud } from '../../../test/compute-cloud.ts';
import { turnServer } from '../../compute/actions/power.ts';
import { resizeServer } from '../../compute/migrations/resize-server.ts';
import { confirmResize } from '../../compute/migrations/settle-resize.ts';
import { createServers } from '../../compute/servers/create-server.ts';
import { deleteServer } from '../../compute/servers/delete-server.ts';
import { newServerOf } from '../../compute/servers/new-server.ts';
import { recordObserved } from '../../fleet/link/record-observed.ts';
import { runBatch } from '../../http/commit.ts';
import type { ProjectContext } from '../../http/context.ts';
import { asSystem } from '../../http/system-actor.ts';
import { ensureAccount } from '../accounts/default-account.ts';
import { moveMoney } from '../accounts/move-money.ts';
import { updateAccount } from '../accounts/update-account.ts';
import { productBody } from '../bodies.ts';
import { createProduct } from '../catalog/create-product.ts';
import { farmRound } from '../farmer/farm-round.ts';
import { climbLadder } from './climb-ladder.ts';

const { FLAVORS, SECOND } = account;
type Flavor = account.Flavor;
const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const START = Date.parse('2026-01-02T08:30:00Z');
/** Before anything of the month is final: what an invoice is rounded by is no part of this. */
const END = Date.parse('2026-01-31T00:00:00Z');
const FIRST_MICROS = 30_000_000;
const SERVERS_MAX = 6;
const RUNS = 30;

interface Real {
  cloud: ComputeCloud;
  operator: ProjectContext;
  member: ProjectContext;
  flavorIds: Record<Flavor, string>;
  products: Record<string, Flavor>;
  accountId: string;
}
type Model = account.Model;

/** A region with both flavors on sale, on a machine that has room, at the model's time. */
async function open(model: Model): Promise<Real> {
  const cloud = await ComputeCloud.open();
  await cloud.addRunner({ leaseExpiresAtMs: END + DAY, vcpusAllocatable: 100, memoryMibAllocatable: 1e6 });
  await cloud.ctx.db.run(sql`UPDATE runners SET disk_gib_allocatable = 1000 WHERE region = ${cloud.region}`);
  const { projectId, userId } = cloud.user;
  const operator = { ...asSystem(cloud.ctx, projectId), clock: { nowMs: () => model.nowMs } };
  const member = { ...operator, actor: { ...operator.actor, userId, roles: ['member', 'reader'] } };
  const flavorIds = { small: cloud.flavorId, large: await cloud.addFlavor({ ramMib: 1024 }) };
  const products: Real['products'] = {};
  for (const [name, { rate, prepaid, off }] of Object.entries(FLAVORS)) {
    const { product } = productBody.parse({
      product: {
        ...{ name, item: 'server', item_type: `f-${flavorIds[name as Flavor]}`, order_unit: 'hours', currency: 'EUR' },
        prepaid,
        price: {
          effective_from: new Date(START + HOUR / 2).toISOString(),
          terms: { model: 'per_unit', unit_price: String(rate * 3.6), weights: { stopped: String(off) } },
        },
      },
    });
    products[(await createProduct(operator, product)).product.id] = name as Flavor;
  }
  await runBatch(operator.db, ensureAccount(operator, projectId));
  const accountId = `${cloud.region}.${projectId}`;
  const { mode, limit, graceHours, deleteDays } = model.rules;
  await updateAccount(operator, accountId, {
    mode,
    credit_limit: limit === 0 && mode === 'prepaid' ? null : euros(limit),
    ...{ grace_hours: graceHours, delete_after_days: deleteDays },
  });
  await moveMoney(operator, accountId, 'deposit', {
    ...{ amount: euros(FIRST_MICROS), currency: 'EUR', reference: crypto.randomUUID(), description: '' },
  });
  model.balance = FIRST_MICROS;
  model.nowMs += HOUR;
  return { cloud, operator, member, flavorIds, products, accountId };
}

const euros = (micros: number) => (micros / 1_000_000).toFixed(2);
const refused = { status: 403 };

/** A machine does what it was told, a second later. */
async function obey({ cloud, operator }: Real, ids?: readonly string[]): Promise<void> {
  const servers = await operator.db.all<{ id: string; task: string | null; power: string }>(sql`
    SELECT server.id, server.task_state AS task, wish.spec ->> '$.power' AS power FROM servers server
    LEFT JOIN desired wish ON wish.kind = 'server' AND wish.id = server.id
    WHERE server.region = ${cloud.region} AND server.deleted_at_ms IS NULL AND server.task_state IS NOT NULL`);
  for (const { id, task, power } of servers) {
    if (ids && !ids.includes(id)) continue;
    const wish = await cloud.wish(id);
    const state = task === 'deleting' ? 'absent' : power === 'off' ? 'stopped' : 'running';
    const report = { kind: 'server' as const, id, generation: wish?.generation ?? 0, state } as const;
    await recordObserved(operator, wish?.runnerId ?? '', [report]);
  }
}

/** What is, in the model's words. */
async function found({ cloud, operator, products, accountId }: Real) {
  const { db } = operator;
  const now = operator.clock.nowMs();
  const [[row], [money], holds, servers, events] = await db.batch([
    db.all<Record<string, number | null>>(
      sql`SELECT suspended_at_ms, deletion_told_at_ms, emptied_at_ms FROM billing_accounts WHERE id = ${accountId}`,
    ),
    db.all<{ micros: number }>(
      sql`SELECT coalesce((SELECT balance_micros FROM billing_balances WHERE ledger_account = 'customer:' || ${accountId}), 0) AS micros`,
    ),
    db.all<{ id: string; product: string; micros: number }>(
      sql`SELECT resource_id AS id, product_id AS product, amount_micros AS micros FROM billing_holds WHERE region = ${cloud.region} AND expires_at_ms > ${now}`,
    ),
    db.all<{ id: string; state: string; task: string | null }>(
      sql`SELECT id, vm_state AS state, task_state AS task FROM servers WHERE region = ${cloud.region} AND deleted_at_ms IS NULL`,
    ),
    db.all<{ type: string }>(
      sql`SELECT type FROM events WHERE region = ${cloud.region} AND (type LIKE 'billing.balance.%' OR type LIKE 'billing.account.%') ORDER BY sequence`,
    ),
  ]);
  return {
    ...{ suspendedMs: row?.suspended_at_ms, toldMs: row?.deletion_told_at_ms, emptiedMs: row?.emptied_at_ms },
    balance: money?.micros,
    holds: Object.fromEntries(holds.map(({ id, product, micros }) => [`${id} ${products[product]}`, micros])),
    servers: Object.fromEntries(servers.map(({ id, state, task }) => [id, task === null ? state : task])),
    events: events.map(({ type }) => type),
  };
}

const expected = (m: Model) => ({
  ...{ suspendedMs: m.suspendedMs, toldMs: m.toldMs, emptiedMs: m.emptiedMs, balance: m.balance, events: m.events },
  holds: Object.fromEntries(
    [...m.holds].flatMap(([key, { micros, expiresMs }]) => (expiresMs > m.nowMs ? [[key, micros]] : [])),
  ),
  servers: Object.fromEntries([...m.servers].map(([id, { state }]) => [id, state])),
});

type Command = fc.AsyncCommand<Model, Real>;
/** As in a request of its own. */
const asked = (ctx: ProjectContext): ProjectContext => ({ ...ctx, requestId: `req-${crypto.randomUUID()}` });
const command = (
  name: string,
  run: (model: Model, real: Real) => Promise<void>,
  check: (model: Readonly<Model>) => boolean = () => true,
): Command => ({
  check: (model) => model.nowMs < END - 3 * DAY && check(model),
  run: async (model, real) => {
    model.nowMs += SECOND;
    await run(model, { ...real, operator: asked(real.operator), member: asked(real.member) });
    expect(await found(real)).toEqual(expected(model));
  },
  toString: () => name,
});

const pay = (kind: 'deposit' | 'withdrawal', micros: number) =>
  command(`${kind} ${euros(micros)}`, async (model, { operator, accountId }) => {
    const movement = { amount: euros(micros), currency: 'EUR', reference: crypto.randomUUID(), description: '' };
    const moved = moveMoney(operator, accountId, kind, movement);
    if (kind === 'withdrawal' && micros > model.balance)
      return void (await expect(moved).rejects.toThrow(/does not hold/));
    await moved;
    model.balance += kind === 'deposit' ? micros : -micros;
  });

const wanted = (real: Real, flavor: Flavor, count: number) => {
  const server = { name: 's', imageRef: real.cloud.imageId, flavorRef: real.flavorIds[flavor], networks: 'none' };
  const body = { server: { ...server, min_count: count, max_count: count } };
  return newServerOf(real.member, body as never, 37);
};
const idsAfter = async ({ cloud, operator }: Real, model: Model): Promise<string[]> => {
  const rows = await operator.db.all<{ id: string }>(
    sql`SELECT id FROM servers WHERE region = ${cloud.region} AND deleted_at_ms IS NULL`,
  );
  return rows.map(({ id }) => id).filter((id) => !model.servers.has(id));
};
const hasRoom = (count: number) => (model: Readonly<Model>) => model.servers.size + count <= SERVERS_MAX;

/** The servers that were made run a second later. */
async function run(model: Model, real: Real, ids: readonly string[], flavor: Flavor): Promise<void> {
  // What is claimed for what begins is never more than there is.
  if (ids.length > 0) expect(account.unclaimed(model)).toBeGreaterThanOrEqual(0);
  model.nowMs += SECOND;
  await obey(real, ids);
  for (const id of ids) account.begin(model, id, flavor);
}

const several = (count: number, flavor: Flavor) =>
  command(
    `create ${count} ${flavor}`,
    async (model, real) => {
      const made = await createServers(real.member, wanted(real, flavor, count)).catch((error: unknown) => error);
      const ids = await idsAfter(real, model);
      const may = account.mayCreate(
        model,
        ids.length > 0 ? ids : Array.from({ length: count }, (_, at) => `none ${at}`),
        flavor,
      );
      expect(ids).toHaveLength(may ? count : 0);
      if (!may) expect(made).toMatchObject(refused);
      await run(model, real, ids, flavor);
    },
    hasRoom(count),
  );

/** Each for itself, all at once: as many are made as the account holds, whoever is first. */
const race = (count: number, flavor: Flavor) =>
  command(
    `race ${count} ${flavor}`,
    async (model, real) => {
      const all = Array.from({ length: count }, () => createServers(real.member, wanted(real, flavor, 1)));
      const lost = (await Promise.allSettled(all)).flatMap((one) => (one.status === 'rejected' ? [one.reason] : []));
      for (const error of lost) expect(error).toMatchObject(refused);
      const ids = await idsAfter(real, model);
      expect(ids).toHaveLength(count - lost.length);
      for (const id of ids) expect(account.mayCreate(model, [id], flavor)).toBe(true);
      if (lost.length > 0) expect(account.mayCreate(model, ['one more'], flavor)).toBe(false);
      await run(model, real, ids, flavor);
    },
    hasRoom(count),
  );

/** One of the servers in a state, if there is any. */
const pick = (model: Readonly<Model>, at: number, state?: 'active' | 'stopped'): string | undefined => {
  const ids = [...model.servers].flatMap(([id, server]) => (state === undefined || server.state === state ? [id] : []));
  return ids[at % Math.max(1, ids.length)];
};
const onServer = (
  name: string,
  at: number,
  state: 'active' | 'stopped' | undefined,
  act: (model: Model, real: Real, id: string) => Promise<void>,
) =>
  command(
    `${name} ${at}`,
    (model, real) => act(model, real, pick(model, at, state) as string),
    (model) => pick(model, at, state) !== undefined,
  );

const stop = (at: number) =>
  onServer('stop', at, 'active', async (model, real, id) => {
    await turnServer(real.member, id, 'stop');
    model.nowMs += SECOND;
    await obey(real);
    account.turn(model, id, 'stopped');
  });

const start = (at: number, operator: boolean) =>
  onServer(operator ? 'operator starts' : 'start', at, 'stopped', async (model, real, id) => {
    const started = turnServer(operator ? real.operator : real.member, id, 'start');
    if (!operator && !account.mayStart(model, id)) return void (await expect(started).rejects.toMatchObject(refused));
    await started;
    model.nowMs += SECOND;
    await obey(real);
    account.turn(model, id, 'active');
  });

const resize = (at: number) =>
  onServer('resize', at, 'active', async (model, real, id) => {
    const to = model.servers.get(id)?.flavor === 'small' ? 'large' : 'small';
    const resized = resizeServer(real.member, id, real.flavorIds[to]);
    if (!account.resize(model, id, to)) return void (await expect(resized).rejects.toMatchObject(refused));
    await resized;
    model.nowMs += SECOND;
    await obey(real);
    model.nowMs += SECOND;
    await confirmResize(asked(real.member), id);
  });

const remove = (at: number) =>
  onServer('delete', at, undefined, async (model, real, id) => {
    await deleteServer(real.member, id);
    model.nowMs += SECOND;
    await obey(real);
    account.remove(model, id);
  });

/** Some time passes, then the region's rounds come. */
const rounds = (afterMs: number) =>
  command(`${afterMs / 60_000} minutes`, async (model, real) => {
    model.nowMs += afterMs;
    await farmRound(real.operator);
    await climbLadder(real.operator);
    account.round(model);
    await obey(real);
    expect(await violationsOf(real.operator.db, real.cloud.region)).toEqual([]);
  });

const flavor = fc.constantFrom<Flavor>('small', 'large');
const which = fc.nat({ max: 5 });
const commands = [
  fc.integer({ min: 1, max: 300 }).map((tenths) => pay('deposit', tenths * 100_000)),
  fc.integer({ min: 1, max: 200 }).map((tenths) => pay('withdrawal', tenths * 100_000)),
  fc.tuple(fc.integer({ min: 1, max: 3 }), flavor).map(([count, of]) => several(count, of)),
  fc.tuple(fc.integer({ min: 2, max: 5 }), flavor).map(([count, of]) => race(count, of)),
  which.map(stop),
  fc.tuple(which, fc.boolean()).map(([at, operator]) => start(at, operator)),
  which.map(resize),
  which.map(remove),
  fc.constantFrom(10 * SECOND, 7 * 60 * SECOND, HOUR / 2, HOUR, 3 * HOUR, DAY).map(rounds),
  fc.constantFrom(10 * SECOND, HOUR, 5 * HOUR, DAY, 2 * DAY).map(rounds),
];
const rules: fc.Arbitrary<account.Rules> = fc.record({
  mode: fc.constantFrom('prepaid', 'prepaid', 'postpaid'),
  limit: fc.constantFrom(0, 0, 5_000_000),
  graceHours: fc.constantFrom(null, 0, 0, 0, 2, 30),
  deleteDays: fc.constantFrom(null, 1, 1, 4),
});

it('an account lets begin what it holds, and climbs its ladder, as a model of it says, whatever is done in whatever order', async () => {
  await fc.assert(
    fc.asyncProperty(rules, fc.commands(commands, { maxCommands: 40, size: 'max' }), async (of, list) => {
      const model = account.newModel(START, of);
      const real = await open(model);
      await fc.asyncModelRun(() => ({ model, real }), list);
    }),
    { numRuns: RUNS, interruptAfterTimeLimit: 60_000, endOnFailure: true },
  );
});
