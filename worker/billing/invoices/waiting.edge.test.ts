import { sql } from 'drizzle-orm';
import { expect, it } from 'vitest';
import { at, BillingWorld, HOUR } from '../../../test/billing/billing-world.ts';
import { farmRound } from '../farmer/farm-round.ts';
import { listInvoices } from './list-invoices.ts';

const TRAFFIC = { item: 'floating_ip.egress.bytes', item_type: 'default', order_unit: 'GB' };
const traffic = (world: BillingWorld) =>
  world.product({ ...TRAFFIC, price: world.price({ model: 'per_unit', unit_price: '1' }) });
const invoices = (world: BillingWorld) => listInvoices(world.ctx, { limit: 100 });

it('drafts that wait keep no others waiting', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  await world.product();
  for (let n = 0; n < 52; n += 1) {
    const vm = await world.open('2026-01-10T09:00:00Z', { projectId: `p${n}` });
    await world.change(vm, '2026-01-10T10:00:00Z', null);
  }
  await world.farm('2026-01-10T11:00:00Z');
  await world.farm('2026-02-01T11:00:00Z');
  await world.ctx.db.run(sql`UPDATE billing_subscriptions SET fault = 'x' WHERE region = ${world.region} AND project_id IN (
    SELECT link.project_id FROM billing_account_projects link JOIN billing_invoices invoice ON invoice.account_id = link.account_id
    WHERE link.region = ${world.region} ORDER BY invoice.month_ms, invoice.id LIMIT 50)`);
  await world.farm(at('2026-02-04T01:00:00Z'));
  const finals = (await invoices(world)).filter(({ status }) => status === 'final');
  expect(finals).toHaveLength(2);
});

it('an invoice beyond what is kept stays a draft, and every other is made final', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  await world.product({ currency: 'VND', price: world.price({ model: 'per_unit', unit_price: '3000000000' }) });
  await world.product({ item_type: 'm2' });
  for (const projectId of [world.projectId, world.projectId]) await world.open('2026-01-10T09:00:00Z', { projectId });
  const neighbour = await world.open('2026-01-10T09:00:00Z', { projectId: 'neighbour', itemType: 'm2' });
  await world.farm('2026-01-10T11:00:10Z');
  await world.ctx.db.run(
    sql`UPDATE usage_spans SET end_ms = ${at('2026-01-10T11:00:00Z')} WHERE region = ${world.region}`,
  );
  expect((await invoices(world)).map(({ total }) => total).sort()).toEqual(['0.20', '12000000000']);
  world.nowMs = at('2026-02-05T00:00:00Z');
  const failures: string[] = [];
  for (let round = 0; round < 3; round += 1)
    await farmRound(world.ctx).catch((error: Error) => failures.push(error.message));
  expect(failures.at(-1)).toMatch(/beyond what is kept/);
  const ends = (await invoices(world)).map(({ status, total }) => [status, total]);
  expect(ends.sort(), neighbour).toEqual([
    ['draft', '12000000000'],
    ['final', '0.20'],
  ]);
});

it('what comes too late for two months is rounded by what is paid, a month a round', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  await traffic(world);
  const ip = crypto.randomUUID();
  const seal = (value: number) => world.seal(ip, '2026-01-30T22:00:00Z', value);
  await seal(1.004e9);
  await world.farm('2026-02-01T02:00:00Z');
  await world.farm('2026-02-05T00:00:00Z');
  await seal(1.008e9);
  await world.farm('2026-02-05T02:00:00Z');
  await seal(1.012e9);
  await world.farm('2026-03-01T03:00:00Z');
  const expected = [['final', 'draft', 'final'].sort(), ['final', 'final', 'final']];
  for (const statuses of expected) {
    await world.farm('2026-04-05T01:00:00Z');
    expect((await invoices(world)).map(({ status }) => status).sort()).toEqual(statuses);
  }
  expect((await invoices(world)).reduce((sum, { total }) => sum + Number(total), 0)).toBeCloseTo(1.01, 9);
});

it('waits for what is late and cannot be rated, too; not for what is of other months', async () => {
  const world = new BillingWorld('2026-01-10T08:30:00Z');
  await traffic(world);
  const ip = crypto.randomUUID();
  for (const hour of ['2026-01-30T22:00:00Z', '2026-01-31T23:00:00Z', '2026-02-01T00:00:00Z'])
    await world.seal(ip, hour, 1e9);
  await world.farm('2026-02-01T02:00:00Z');
  await world.seal(ip, '2026-01-30T22:00:00Z', 9e9);
  const fault = (text: string | null) =>
    world.ctx.db.run(
      sql`UPDATE billing_subscriptions SET fault = ${text}, due_ms = ${world.nowMs + 400 * HOUR} WHERE region = ${world.region}`,
    );
  await fault('x');
  await world.farm('2026-02-05T02:00:00Z');
  expect((await invoices(world)).at(-1)).toMatchObject({ month: '2026-01', status: 'draft' });
  await world.ctx.db.run(sql`UPDATE billing_subscriptions SET dirty_from_ms = NULL WHERE region = ${world.region}`);
  await world.farm('2026-02-05T03:00:00Z');
  expect((await invoices(world)).at(-1)).toMatchObject({ month: '2026-01', status: 'final', total: '2.00' });
});
