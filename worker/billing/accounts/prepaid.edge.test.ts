import { sql } from 'drizzle-orm';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BillingWorld, HOUR } from '../../../test/billing/billing-world.ts';
import { runBatch } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { climbLadder } from '../ladder/climb-ladder.ts';
import { offerFor } from '../reports/quote.ts';
import { requireAffordable } from './admit.ts';
import { ensureAccount } from './default-account.ts';
import { moveMoney } from './move-money.ts';
import { updateAccount } from './update-account.ts';

/** What must be: one prepaid account in cents, of which each server takes a hundred with each hour that begins. */
interface Model {
  cents: number;
  servers: number;
  exhausted: boolean;
  suspended: boolean;
  told: string[];
}
interface Real {
  world: BillingWorld;
  member: ActorContext;
  servers: string[];
}

/** What rounds make of it: the state changes with the balance, and is told once. */
function settle(model: Model): void {
  const exhausted = model.cents <= 0;
  if (exhausted !== model.exhausted)
    model.told.push(exhausted ? 'billing.balance.exhausted' : 'billing.balance.restored');
  if (exhausted !== model.suspended)
    model.told.push(exhausted ? 'billing.account.suspended' : 'billing.account.resumed');
  Object.assign(model, { exhausted, suspended: exhausted });
}

async function rounds({ world }: Real): Promise<void> {
  await world.farm(world.nowMs + 6_000);
  await climbLadder(world.ctx);
}

async function agree(model: Model, { world }: Real): Promise<void> {
  expect(await world.balance(`customer:${world.accountId}`)).toBe(model.cents);
  const [account] = await world.ctx.db.all<{ suspended: number }>(
    sql`SELECT suspended_at_ms IS NOT NULL AS suspended FROM billing_accounts WHERE id = ${world.accountId}`,
  );
  expect(Boolean(account?.suspended)).toBe(model.suspended);
  const events = await world.ctx.db.all<{ type: string }>(
    sql`SELECT type FROM events WHERE region = ${world.region} AND (type LIKE 'billing.balance.%' OR type LIKE 'billing.account.%') ORDER BY sequence`,
  );
  expect(events.map(({ type }) => type)).toEqual(model.told);
  expect(await world.violations()).toEqual([]);
}

type Command = fc.AsyncCommand<Model, Real>;
const command = (name: string, run: (model: Model, real: Real) => Promise<void>): Command => ({
  check: () => true,
  run: async (model, real) => {
    await run(model, real);
    settle(model);
    await rounds(real);
    await agree(model, real);
  },
  toString: () => name,
});

const move = (kind: 'deposit' | 'withdrawal', cents: number) =>
  command(`${kind} ${cents}`, async (model, { world }) => {
    const moved = moveMoney(world.ctx, world.accountId, kind, {
      ...{ amount: (cents / 100).toFixed(2), currency: 'EUR', reference: crypto.randomUUID(), description: '' },
    });
    if (kind === 'withdrawal' && cents > model.cents)
      return void (await expect(moved).rejects.toThrow(/does not hold/));
    await moved;
    model.cents += kind === 'deposit' ? cents : -cents;
  });

/** As an hour begins, so that a first interval is a whole one. What runs takes its price after: the balance held it before. */
function beginHour(model: Model, world: BillingWorld): void {
  world.nowMs = (Math.floor(world.nowMs / HOUR) + 1) * HOUR;
  model.cents -= 100 * model.servers;
}

/** So many at once: as many are made as the balance holds, whoever is first. */
const create = (count: number) =>
  command(`create ${count}`, async (model, real) => {
    const { world, member, servers } = real;
    const held = model.cents;
    beginHour(model, world);
    const offer = await offerFor(world.ctx, 'server', 'm1');
    const ids = Array.from({ length: count }, () => crypto.randomUUID());
    const tries = await Promise.allSettled(
      ids.map((id) => runBatch(world.ctx.db, requireAffordable(member, offer, { id, projectId: world.projectId }))),
    );
    const made = ids.filter((_, index) => tries[index]?.status === 'fulfilled');
    expect(made).toHaveLength(model.suspended ? 0 : Math.min(count, Math.max(0, Math.floor(held / 100))));
    for (const id of made) await world.open(world.nowMs, { resourceId: id });
    servers.push(...made);
    model.servers += made.length;
    model.cents -= 100 * made.length;
  });

/** The next hour begins, and takes its price of all there are. */
const hour = command('hour', async (model, { world }) => beginHour(model, world));

const commands = [
  fc.integer({ min: 1, max: 900 }).map((cents) => move('deposit', cents)),
  fc.integer({ min: 1, max: 500 }).map((cents) => move('withdrawal', cents)),
  fc.integer({ min: 1, max: 5 }).map(create),
  fc.constant(hour),
];

it('a prepaid account holds what it lets begin, however many race, and climbs one ladder as a model of it does', async () => {
  await fc.assert(
    fc.asyncProperty(fc.commands(commands, { maxCommands: 14 }), async (list) => {
      const world = new BillingWorld('2026-01-10T08:30:00Z');
      await world.product({ prepaid: true, price: world.price({ model: 'per_unit', unit_price: '1' }) });
      await runBatch(world.ctx.db, ensureAccount(world.ctx, world.projectId));
      await updateAccount(world.ctx, world.accountId, { mode: 'prepaid', grace_hours: 0 });
      const member = { ...world.ctx, actor: { ...world.ctx.actor, roles: ['member', 'reader'] } };
      const model: Model = { cents: 0, servers: 0, exhausted: false, suspended: false, told: [] };
      await fc.asyncModelRun(() => ({ model, real: { world, member, servers: [] } }), list);
    }),
    { numRuns: 25, endOnFailure: true },
  );
});
