import { sql } from 'drizzle-orm';
import { BillingWorld } from '../../test/billing/billing-world.ts';
import { castAround, describePolicy, trial } from '../../test/edge-policy.ts';
import type { BillingAction } from './policy.ts';

let world: BillingWorld;
let flavor = 0;
const nothing = crypto.randomUUID();
const at = (path: string) => `/r/${world.region}/aerostat/v1/billing${path}`;
const account = (path = '') => at(`/accounts/${world.accountId}${path}`);

/** A region in which a project has used something, and has an invoice of it. */
async function cast() {
  world = new BillingWorld('2026-01-10T08:30:00Z');
  await world.product();
  await world.open('2026-01-31T20:00:00Z');
  await world.farm('2026-02-10T00:00:00Z');
  return castAround(world.projectId);
}

const get = (path: () => string | Promise<string>) => async () => ({ method: 'GET', path: await path() });
const post =
  (path: () => string, body: () => unknown, method = 'POST') =>
  () => ({ method, path: path(), body: body() });
const idOf = async (table: 'billing_invoices' | 'billing_purchases') => {
  const [row] = await world.ctx.db.all<{ id: string }>(
    sql`SELECT id FROM ${sql.identifier(table)} WHERE region = ${world.region} LIMIT 1`,
  );
  return row?.id ?? '';
};
const movement = () => ({
  movement: { amount: '1.00', currency: 'EUR', reference: crypto.randomUUID(), description: '' },
});
const budget = () => ({ budget: { name: crypto.randomUUID(), amount: '10', currency: 'EUR' } });
const product = () => ({
  product: { name: `p${flavor}`, item: 'server', item_type: `f${flavor++}`, order_unit: 'hours', currency: 'EUR' },
});
const price = () => ({
  price: { effective_from: '2999-01-01T00:00:00Z', terms: { model: 'per_unit', unit_price: '1' } },
});
const voucher = () => ({
  voucher: {
    amount: '1',
    currency: 'EUR',
    expires_at: '2999-01-01T00:00:00Z',
    reason: 'r',
    reference: crypto.randomUUID(),
  },
});
const subscription = () => ({
  subscription: { project_id: world.projectId, product_id: nothing, resource_id: 'r' },
});
const report = () =>
  at(`/reports/usage?project_id=${world.projectId}&from=2026-01-01T00:00:00Z&to=2026-02-01T00:00:00Z`);

describePolicy<BillingAction>('billing', cast, {
  'billing:products:list': trial(
    'anyone',
    200,
    get(() => at('/products')),
  ),
  'billing:products:show': trial(
    'anyone',
    404,
    get(() => at(`/products/${nothing}`)),
  ),
  'billing:products:create': trial(
    'admin',
    201,
    post(() => at('/products'), product),
  ),
  'billing:products:retire': trial('admin', 404, () => ({ method: 'DELETE', path: at(`/products/${nothing}`) })),
  'billing:prices:create': trial(
    'admin',
    404,
    post(() => at(`/products/${nothing}/prices`), price),
  ),
  'billing:subscriptions:list': trial(
    'reader',
    200,
    get(() => at(`/subscriptions?project_id=${world.projectId}`)),
  ),
  'billing:subscriptions:create': trial(
    'admin',
    404,
    post(() => at('/subscriptions'), subscription),
  ),
  'billing:subscriptions:end': trial('admin', 404, () => ({ method: 'DELETE', path: at(`/subscriptions/${nothing}`) })),
  'billing:accounts:list': trial(
    'admin',
    200,
    get(() => at('/accounts')),
  ),
  'billing:accounts:show': trial('reader', 200, get(account)),
  'billing:accounts:update': trial(
    'admin',
    200,
    post(account, () => ({ account: { low_balance: null } }), 'PATCH'),
  ),
  'billing:defaults:show': trial(
    'admin',
    200,
    get(() => at('/defaults')),
  ),
  'billing:defaults:set': trial(
    'admin',
    200,
    post(
      () => at('/defaults'),
      () => ({ defaults: { mode: 'postpaid', currency: 'EUR' } }),
      'PUT',
    ),
  ),
  // The project is of this test alone: it is in no table.
  'billing:accounts:link': trial('admin', 400, () => ({ method: 'PUT', path: account(`/projects/${nothing}`) })),
  'billing:accounts:deposit': trial(
    'admin',
    201,
    post(() => account('/deposits'), movement),
  ),
  'billing:accounts:withdraw': trial(
    'admin',
    409,
    post(
      () => account('/withdrawals'),
      () => ({ movement: { ...movement().movement, amount: '1000000' } }),
    ),
  ),
  'billing:accounts:credit': trial(
    'admin',
    201,
    post(() => account('/credits'), movement),
  ),
  'billing:transfers:list': trial(
    'reader',
    200,
    get(() => account('/transfers')),
  ),
  'billing:vouchers:list': trial(
    'reader',
    200,
    get(() => account('/vouchers')),
  ),
  'billing:vouchers:create': trial(
    'admin',
    201,
    post(() => account('/vouchers'), voucher),
  ),
  'billing:budgets:list': trial(
    'reader',
    200,
    get(() => account('/budgets')),
  ),
  'billing:budgets:create': trial(
    'manager',
    201,
    post(() => account('/budgets'), budget),
  ),
  'billing:budgets:delete': trial('manager', 404, () => ({ method: 'DELETE', path: account(`/budgets/${nothing}`) })),
  'billing:invoices:list': trial(
    'reader',
    200,
    get(() => at(`/invoices?account_id=${world.accountId}`)),
  ),
  'billing:invoices:show': [
    trial(
      'reader',
      200,
      get(async () => at(`/invoices/${await idOf('billing_invoices')}`)),
    ),
    trial(
      'reader',
      200,
      get(async () => at(`/invoices/${await idOf('billing_invoices')}?format=html`)),
    ),
  ],
  'billing:invoices:rerate': trial('admin', 200, async () => ({
    method: 'POST',
    path: at(`/invoices/${await idOf('billing_invoices')}/rerate`),
  })),
  'billing:purchases:list': [
    trial(
      'reader',
      200,
      get(() => at(`/purchases?project_id=${world.projectId}`)),
    ),
    trial(
      'reader',
      200,
      get(async () => at(`/purchases?invoice_id=${await idOf('billing_invoices')}`)),
    ),
  ],
  'billing:purchases:show': trial(
    'reader',
    200,
    get(async () => at(`/purchases/${await idOf('billing_purchases')}/evidence`)),
  ),
  'billing:reports:show': [
    trial('reader', 200, get(report)),
    trial(
      'reader',
      200,
      get(() => at(`/reports/forecast?project_id=${world.projectId}`)),
    ),
  ],
  // Of the token's own project, whichever that is.
  'billing:quotes:create': trial(
    'reader',
    200,
    post(
      () => at('/quotes'),
      () => ({ quote: { item: 'server', item_type: 'm1' } }),
    ),
    {
      stranger: 200,
    },
  ),
});
