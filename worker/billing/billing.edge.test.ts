import { sql } from 'drizzle-orm';
import { beforeEach, describe, expect, it } from 'vitest';
import { at, BillingWorld } from '../../test/billing/billing-world.ts';
import { call, newTenant } from '../../test/edge-client.ts';
import { mintActor } from '../../test/edge-tokens.ts';

let world: BillingWorld;
let operator: string;
beforeEach(async () => {
  world = new BillingWorld('2026-01-10T08:30:00Z');
  operator = (await mintActor('admin')).token;
});

async function ask(method: string, path: string, body?: unknown, token = operator) {
  const response = await call(method, `/r/${world.region}/aerostat/v1/billing${path}`, {
    token,
    ...(body === undefined ? {} : { body }),
  });
  const text = await response.text();
  const type = response.headers.get('content-type') ?? '';
  const parsed = type.includes('json') ? JSON.parse(text) : text;
  return { status: response.status, body: parsed as ReturnType<typeof JSON.parse>, type, headers: response.headers };
}

const HOURLY = { name: 'small server', item: 'server', item_type: 'm1', order_unit: 'hours', currency: 'EUR' };

describe('the catalog', () => {
  it('is filled by operators, and answers what an item costs', async () => {
    const price = { effective_from: '2999-01-01T00:00:00Z', terms: { model: 'per_unit', unit_price: '0.10' } };
    const { body, status } = await ask('POST', '/products', { product: { ...HOURLY, price } });
    expect([status, body.product]).toMatchObject([
      201,
      { ...HOURLY, kind: 'time', interval: 'hourly', prepaid: false },
    ]);
    expect(body.product.prices).toMatchObject([{ effective_from: '2999-01-01T00:00:00.000Z', terms: price.terms }]);
    expect((await ask('GET', '/products?item=server')).body.products).toEqual([body.product]);
    expect((await ask('GET', '/products?item=router')).body.products).toEqual([]);
    expect((await ask('POST', '/products', { product: { ...HOURLY, name: 'other' } })).status).toBe(409);
    expect((await ask('POST', `/products/${body.product.id}/prices`, { price })).status).toBe(409);
    expect((await ask('DELETE', `/products/${body.product.id}`)).status).toBe(204);
    expect((await ask('DELETE', `/products/${body.product.id}`)).status).toBe(404);
    expect((await ask('GET', '/products')).body.products).toEqual([]);
    expect((await ask('GET', `/products/${body.product.id}`)).body.product.retired_at).not.toBeNull();
    expect((await ask('POST', '/products', { product: HOURLY })).status).toBe(201);
  });

  it.each<[Record<string, unknown>, RegExp]>([
    [{ order_unit: 'GB' }, /priced by hours, days, months/],
    [{ currency: 'GOLD' }, /ISO 4217/],
    [{ order_size: 0 }, /order_size/],
    [{ item: 'memory.usage' }, /a mean/],
    [{ item: 'floating_ip.egress.bytes', item_type: 'default', order_unit: 'hours' }, /priced by bytes/],
    [{ item: 'floating_ip.egress.bytes', item_type: 'default', order_unit: 'GB', prepaid: true }, /cannot be prepaid/],
    [
      { price: { effective_from: '2026-01-01T00:00:00Z', terms: { model: 'per_unit', unit_price: '1' } } },
      /in the future/,
    ],
    [{ price: { effective_from: '2999-01-01T00:30:00Z', terms: { model: 'per_unit', unit_price: '1' } } }, /full hour/],
    [{ price: { effective_from: '2999-01-01T00:00:00Z', terms: { model: 'per_unit', unit_price: 1 } } }, /unit_price/],
    [{ colour: 'red' }, /colour/],
  ])('refuses %j', async (of, message) => {
    const { status, body } = await ask('POST', '/products', { product: { ...HOURLY, ...of } });
    expect([status, body.error?.message]).toEqual([400, expect.stringMatching(message)]);
  });
});

describe('subscriptions by call', () => {
  it('are there once, and end once', async () => {
    const { projectId } = await newTenant();
    const product = await world.product({ item: 'support', item_type: 'gold', order_unit: 'days', automatic: false });
    const subscription = { project_id: projectId, product_id: product, resource_id: 'contract-1', quantity: 2 };
    const made = await Promise.all([1, 2, 3].map(() => ask('POST', '/subscriptions', { subscription })));
    expect(new Set(made.map(({ body }) => body.subscription.id)).size).toBe(1);
    const { id } = made[0]?.body.subscription ?? {};
    expect((await ask('DELETE', `/subscriptions/${id}`)).status).toBe(204);
    const [ended] = (await ask('GET', `/subscriptions?project_id=${projectId}`)).body.subscriptions;
    expect((await ask('DELETE', `/subscriptions/${id}`)).status).toBe(204);
    expect((await ask('GET', `/subscriptions?project_id=${projectId}`)).body.subscriptions).toEqual([ended]);
    const elsewhere = { ...subscription, project_id: 'nobody' };
    expect((await ask('POST', '/subscriptions', { subscription: elsewhere })).status).toBe(400);
  });

  it('are not how one gets rid of what runs', async () => {
    await world.product();
    const vm = await world.open('2026-01-10T09:00:00Z');
    const [row] = (await ask('GET', `/subscriptions?resource_id=${vm}`)).body.subscriptions;
    expect((await ask('DELETE', `/subscriptions/${row.id}`)).status).toBe(409);
  });
});

describe('an invoice', () => {
  const hostile = '=cmd|"<script>alert(1)</script>&';
  async function billed() {
    await world.product({ name: hostile });
    const vm = await world.open('2026-01-31T20:00:00Z', { resourceName: hostile });
    await world.change(vm, '2026-01-31T22:30:00Z', null);
    await world.farm('2026-02-10T00:00:00Z');
    const { invoices } = (await ask('GET', '/invoices')).body;
    return { vm, invoice: invoices[0] };
  }

  it('is JSON, CSV that no spreadsheet runs, and a page that nothing breaks out of', async () => {
    const { vm, invoice } = await billed();
    const json = (await ask('GET', `/invoices/${invoice.id}`)).body.invoice;
    expect(json).toMatchObject({ number: 1, month: '2026-01', total: '0.25', currency: 'EUR', status: 'final' });
    expect(json.lines).toMatchObject([{ product: hostile, resources: 1, quantity: '2.5', amount: '0.25' }]);
    const csv = await ask('GET', `/invoices/${invoice.id}?format=csv`);
    expect(csv.type).toMatch(/^text\/csv/);
    const [, line, total] = csv.body.split('\r\n');
    expect(line).toContain(`"'=cmd|""<script>alert(1)</script>&"`);
    expect(total).toBe('total,,,,,,,,,,,,,0.25,EUR');
    const { details } = (await ask('GET', `/invoices/${invoice.id}/details?line=1`)).body;
    expect(details).toMatchObject([{ resource_id: vm, resource_name: hostile, quantity: '2.5', booked: '0.25' }]);
    const sheet = (await ask('GET', `/invoices/${invoice.id}/details?format=csv`)).body.split('\r\n');
    expect(sheet).toHaveLength(3);
    expect(sheet[1]).toContain(`"'=cmd|""<script>alert(1)</script>&"`);
    expect((await ask('GET', `/invoices/${invoice.id}/details?marker=1`)).body.details).toEqual([]);
    const page = await ask('GET', `/invoices/${invoice.id}?format=html`);
    expect(page.type).toMatch(/^text\/html/);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(page.body).toContain('&lt;script&gt;');
    expect(page.body).not.toContain('<script');
    expect(page.body).toContain('0.25');
    expect(page.body).toContain('@media print');
    expect((await ask('GET', `/invoices/${invoice.id}?format=pdf`)).status).toBe(400);
  });

  it('leads from each line to its purchases, and these to the spans they count', async () => {
    const { vm, invoice } = await billed();
    const { purchases } = (await ask('GET', `/purchases?invoice_id=${invoice.id}&line=1`)).body;
    expect(purchases.map(({ amount }: { amount: string }) => amount)).toEqual(['0.10', '0.10', '0.05']);
    const { evidence } = (await ask('GET', `/purchases/${purchases[2].id}/evidence`)).body;
    expect(evidence).toMatchObject({
      subscription: { resource_id: vm },
      price: { terms: { unit_price: '0.10' } },
      line: { quantity: '2.5', quantity_exact: '5/2', amount: '0.25', to: '2026-01-31T22:30:00.000Z' },
      spans: [{ start: '2026-01-31T20:00:00.000Z', end: '2026-01-31T22:30:00.000Z', state: 'active', weight: '1' }],
      windows: [],
    });
    expect((await ask('GET', `/purchases?invoice_id=${invoice.id}&line=2`)).status).toBe(404);
  });

  it('of what was metered leads to its windows', async () => {
    const meter = { item: 'floating_ip.egress.bytes', item_type: 'default', order_unit: 'GB' };
    await world.product({ ...meter, price: world.price({ model: 'per_unit', unit_price: '1' }) });
    await world.seal(crypto.randomUUID(), '2026-01-10T10:00:00Z', 1.5e9);
    await world.farm('2026-01-10T11:01:00Z');
    const [purchase] = (await ask('GET', '/purchases')).body.purchases;
    const { evidence } = (await ask('GET', `/purchases/${purchase.id}/evidence`)).body;
    expect(evidence.windows).toEqual([
      { start: '2026-01-10T10:00:00.000Z', value: 1.5e9, coverage_percent: 100, revision: 1 },
    ]);
    expect(evidence.line).toMatchObject({ quantity: '1.5', amount: '1.50' });
  });
});

describe('reports', () => {
  it('say what was used by region and item, in each period, and by months', async () => {
    await world.product();
    const vm = await world.open('2026-01-31T22:00:00Z');
    await world.change(vm, '2026-02-01T01:30:00Z', null);
    await world.farm('2026-02-01T03:00:00Z');
    const of = (report: string, more = '') =>
      ask(
        'GET',
        `/reports/${report}?project_id=${world.projectId}&from=2026-01-01T00:00:00Z&to=2026-03-01T00:00:00Z${more}`,
      );
    const { usage } = (await of('usage')).body;
    expect(usage[world.region].server).toMatchObject([
      {
        resource_id: vm,
        item_type: 'm1',
        order_unit: 'hours',
        order_size: 1,
        quantity: '3.5',
        amount: '0.35',
        currency: 'EUR',
      },
    ]);
    const { periods } = (await of('periods', '&period=days&item=server')).body;
    expect(
      periods.map((one: { start: string; items: ReturnType<typeof JSON.parse> }) => [
        one.start,
        one.items.server[0].amount,
      ]),
    ).toEqual([
      ['2026-01-31T00:00:00.000Z', '0.20'],
      ['2026-02-01T00:00:00.000Z', '0.15'],
    ]);
    expect((await of('monthly')).body.monthly[world.region]).toEqual({
      '2026-01-01T00:00:00.000Z': { server: { EUR: '0.20' } },
      '2026-02-01T00:00:00.000Z': { server: { EUR: '0.15' } },
    });
    expect((await of('usage', '&resource_id=none')).body.usage[world.region]).toEqual({});
    expect((await ask('GET', '/reports/usage?from=2026-02-01T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(400);
    expect((await ask('GET', '/reports/usage?from=2020-01-01T00:00:00Z&to=2026-01-01T00:00:00Z')).status).toBe(400);
  });

  it('look ahead to the end of the month, and quote before anything is made', async () => {
    const { forecast } = await import('./reports/forecast.ts');
    const { quote } = await import('./reports/quote.ts');
    await world.product();
    await world.open('2026-01-30T00:00:00Z');
    await world.farm('2026-01-31T00:00:10Z');
    expect(await forecast(world.ctx, world.projectId)).toEqual({
      month: '2026-01',
      complete: true,
      currencies: [{ currency: 'EUR', spent: '2.40', forecast: '4.80' }],
    });
    expect(await quote(world.ctx, { item: 'server', item_type: 'm1', count: 3, quantity: 1 })).toMatchObject({
      currency: 'EUR',
      cost: { hour: '0.30', day: '7.20', month: '223.20' },
    });
    await expect(quote(world.ctx, { item: 'server', item_type: 'm9', count: 1, quantity: 1 })).rejects.toThrow(
      /no price/,
    );
  });
});

describe('an account', () => {
  it('is shown before it is there, made by the first that changes it, and shows what came in', async () => {
    const tenant = await newTenant();
    const own = (await ask('GET', '/accounts/own', undefined, tenant.token)).body.account;
    expect(own).toMatchObject({ name: tenant.name, mode: 'postpaid', state: 'ok', projects: [] });
    const movement = { amount: '20.00', currency: 'EUR', reference: 'bank-1' };
    expect((await ask('POST', `/accounts/${own.id}/deposits`, { movement })).status).toBe(201);
    expect((await ask('POST', `/accounts/${own.id}/deposits`, { movement })).status).toBe(201);
    expect((await ask('GET', '/accounts/own', undefined, tenant.token)).body.account.balances).toEqual([
      { currency: 'EUR', money: '20.00', vouchers: '0.00' },
    ]);
    const { transfers } = (await ask('GET', '/accounts/own/transfers', undefined, tenant.token)).body;
    expect(transfers).toMatchObject([{ kind: 'deposit', amount: '20.00' }]);
    const other = await newTenant();
    expect((await ask('PUT', `/accounts/${own.id}/projects/${other.projectId}`)).status).toBe(204);
    expect((await ask('GET', '/accounts/own', undefined, other.token)).body.account.id).toBe(own.id);
    const audited = await world.ctx.db.all<{ action: string }>(
      sql`SELECT action FROM audit WHERE region = ${world.region} ORDER BY at_ms, action`,
    );
    expect(new Set(audited.map(({ action }) => action))).toEqual(
      new Set(['billing:accounts:open', 'billing:accounts:deposit', 'billing:accounts:link']),
    );
  });

  it('is charged at its region’s prices only', async () => {
    const elsewhere = new BillingWorld('2026-01-10T08:30:00Z');
    await elsewhere.product();
    await world.open('2026-01-10T09:00:00Z');
    await world.farm('2026-01-10T12:00:00Z');
    await elsewhere.farm('2026-01-10T12:00:00Z');
    expect([await world.purchases(), await elsewhere.purchases()]).toEqual([[], []]);
    expect(at('2026-01-10T12:00:00Z')).toBe(world.nowMs);
  });
});
