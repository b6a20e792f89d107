import { Hono } from 'hono';
import { parseBody, parseValue } from '../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../http/context.ts';
import { authenticate } from '../identity/authenticate.ts';
import { accountMoney } from './accounts/account-money.ts';
import { budgetView, createBudget, deleteBudget, listBudgets } from './accounts/budgets.ts';
import { createVoucher } from './accounts/create-voucher.ts';
import { setDefaults, showDefaults } from './accounts/defaults.ts';
import { linkProject } from './accounts/link-project.ts';
import { listAccounts } from './accounts/list-accounts.ts';
import { listTransfers, transferView } from './accounts/list-transfers.ts';
import { listVouchers, voucherView } from './accounts/list-vouchers.ts';
import { type MovementKind, moveMoney } from './accounts/move-money.ts';
import { updateAccount } from './accounts/update-account.ts';
import {
  accountPatch,
  budgetBody,
  defaultsBody,
  movementBody,
  priceBody,
  productBody,
  quoteBody,
  reportOf,
  reportQuery,
  subscriptionBody,
  voucherBody,
} from './bodies.ts';
import { createPrice } from './catalog/create-price.ts';
import { createProduct } from './catalog/create-product.ts';
import { listProducts, showProduct } from './catalog/list-products.ts';
import { retireProduct } from './catalog/retire-product.ts';
import { listPurchases } from './evidence/list-purchases.ts';
import { showEvidence } from './evidence/show-evidence.ts';
import { detailsCsv, linesCsv } from './invoices/invoice-csv.ts';
import { invoiceHtml } from './invoices/invoice-html.ts';
import { listDetails } from './invoices/list-details.ts';
import { listInvoices } from './invoices/list-invoices.ts';
import { rerateInvoice } from './invoices/rerate-invoice.ts';
import { showInvoice } from './invoices/show-invoice.ts';
import {
  accountList,
  detailList,
  forecastQuery,
  invoiceList,
  invoiceQuery,
  productList,
  purchaseList,
  rerateQuery,
  subscriptionList,
} from './lists.ts';
import { detailReport } from './reports/detail-report.ts';
import { forecast } from './reports/forecast.ts';
import { quote } from './reports/quote.ts';
import { monthlyReport, periodReport, usageReport } from './reports/usage-report.ts';
import { type AccountRow, scopeAccount } from './scope.ts';
import { listSubscriptions } from './subscriptions/list-subscriptions.ts';
import { subscribe } from './subscriptions/subscribe.ts';
import { unsubscribe } from './subscriptions/unsubscribe.ts';
import { accountView, defaultsView, priceView, productView, purchaseView, subscriptionView } from './views.ts';

const catalog = new Hono<AppEnv>()
  .get('/', async (c) => {
    const found = await listProducts(actorContext(c), parseValue(c.req.query(), productList));
    return c.json({ products: found.map(({ product, prices }) => productView(product, prices)) });
  })
  .post('/', async (c) => {
    const { product: wanted } = await parseBody(c, productBody);
    const { product, prices } = await createProduct(actorContext(c), wanted);
    return c.json({ product: productView(product, prices) }, 201);
  })
  .get('/:id', async (c) => {
    const { product, prices } = await showProduct(actorContext(c), c.req.param('id'));
    return c.json({ product: productView(product, prices) });
  })
  .delete('/:id', async (c) => {
    await retireProduct(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  })
  .post('/:id/prices', async (c) => {
    const { price } = await parseBody(c, priceBody);
    return c.json({ price: priceView(await createPrice(actorContext(c), c.req.param('id'), price)) }, 201);
  });

const subscriptions = new Hono<AppEnv>()
  .get('/', async (c) => {
    const rows = await listSubscriptions(actorContext(c), parseValue(c.req.query(), subscriptionList));
    return c.json({ subscriptions: rows.map(subscriptionView) });
  })
  .post('/', async (c) => {
    const { subscription } = await parseBody(c, subscriptionBody);
    return c.json({ subscription: subscriptionView(await subscribe(actorContext(c), subscription)) }, 201);
  })
  .delete('/:id', async (c) => {
    await unsubscribe(actorContext(c), c.req.param('id'));
    return c.body(null, 204);
  });

/** An account with what it holds. */
async function answerAccount(c: AppContext, row: AccountRow): Promise<Response> {
  const { projects, balances } = await accountMoney(actorContext(c), row);
  return c.json({ account: accountView(row, projects, balances) });
}

const move = (kind: MovementKind) => async (c: AppContext) => {
  const { movement } = await parseBody(c, movementBody);
  const id = c.req.param('id') ?? '';
  const row = await moveMoney(actorContext(c), id, kind, movement);
  const own = kind === 'withdrawal' ? row.fromAccount : row.toAccount;
  return c.json({ transfer: transferView(row, own) }, 201);
};

const accounts = new Hono<AppEnv>()
  .get('/', async (c) => {
    const rows = await listAccounts(actorContext(c), parseValue(c.req.query(), accountList));
    return c.json({
      accounts: rows.map(({ id, name, mode, currency, state }) => ({ id, name, mode, currency, state })),
    });
  })
  .get('/:id', async (c) =>
    answerAccount(c, await scopeAccount(actorContext(c), 'billing:accounts:show', c.req.param('id'))),
  )
  .patch('/:id', async (c) => {
    const { account } = await parseBody(c, accountPatch);
    return answerAccount(c, await updateAccount(actorContext(c), c.req.param('id'), account));
  })
  .put('/:id/projects/:project', async (c) => {
    await linkProject(actorContext(c), c.req.param('id'), c.req.param('project'));
    return c.body(null, 204);
  })
  .post('/:id/deposits', move('deposit'))
  .post('/:id/withdrawals', move('withdrawal'))
  .post('/:id/credits', move('credit'))
  .get('/:id/transfers', async (c) =>
    c.json({
      transfers: await listTransfers(actorContext(c), c.req.param('id'), parseValue(c.req.query(), accountList)),
    }),
  )
  .get('/:id/vouchers', async (c) => c.json({ vouchers: await listVouchers(actorContext(c), c.req.param('id')) }))
  .post('/:id/vouchers', async (c) => {
    const { voucher } = await parseBody(c, voucherBody);
    const row = await createVoucher(actorContext(c), c.req.param('id'), voucher);
    return c.json({ voucher: voucherView(row, row.amountMicros) }, 201);
  })
  .get('/:id/budgets', async (c) =>
    c.json({ budgets: (await listBudgets(actorContext(c), c.req.param('id'))).map(budgetView) }),
  )
  .post('/:id/budgets', async (c) => {
    const { budget } = await parseBody(c, budgetBody);
    return c.json({ budget: budgetView(await createBudget(actorContext(c), c.req.param('id'), budget)) }, 201);
  })
  .delete('/:id/budgets/:budget', async (c) => {
    await deleteBudget(actorContext(c), c.req.param('id'), c.req.param('budget'));
    return c.body(null, 204);
  });

/** What keeps a page of ours from doing anything but being read. */
const PAGE_HEADERS = {
  'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
};

const CSV_HEADERS = { ...PAGE_HEADERS, 'content-type': 'text/csv; charset=utf-8' };

const invoices = new Hono<AppEnv>()
  .get('/', async (c) =>
    c.json({ invoices: await listInvoices(actorContext(c), parseValue(c.req.query(), invoiceList)) }),
  )
  .get('/:id', async (c) => {
    const { format } = parseValue(c.req.query(), invoiceQuery);
    const document = await showInvoice(actorContext(c), c.req.param('id'));
    if (format === 'html') return c.html(await invoiceHtml(document), 200, PAGE_HEADERS);
    if (format === 'csv') return c.body(linesCsv(document), 200, CSV_HEADERS);
    const { invoice, account, lines } = document;
    return c.json({ invoice: { ...invoice, account, lines } });
  })
  .get('/:id/details', async (c) => {
    const asked = parseValue(c.req.query(), detailList);
    const details = await listDetails(actorContext(c), c.req.param('id'), asked);
    return asked.format === 'csv' ? c.body(detailsCsv(details), 200, CSV_HEADERS) : c.json({ details });
  })
  .post('/:id/rerate', async (c) => {
    const { after } = parseValue(c.req.query(), rerateQuery);
    return c.json({ rerate: await rerateInvoice(actorContext(c), c.req.param('id'), after) });
  });

const purchases = new Hono<AppEnv>()
  .get('/', async (c) => {
    const rows = await listPurchases(actorContext(c), parseValue(c.req.query(), purchaseList));
    return c.json({ purchases: rows.map(purchaseView) });
  })
  .get('/:id/evidence', async (c) => c.json({ evidence: await showEvidence(actorContext(c), c.req.param('id')) }));

const report = (c: AppContext) => reportOf(parseValue(c.req.query(), reportQuery), c.get('ctx').clock.nowMs());
const reports = new Hono<AppEnv>()
  .get('/usage', async (c) => c.json({ usage: await usageReport(actorContext(c), report(c)) }))
  .get('/periods', async (c) => c.json({ periods: await periodReport(actorContext(c), report(c)) }))
  .get('/monthly', async (c) => c.json({ monthly: await monthlyReport(actorContext(c), report(c)) }))
  .get('/detail', async (c) => c.json({ detail: await detailReport(actorContext(c), report(c)) }))
  .get('/forecast', async (c) => {
    const { project_id } = parseValue(c.req.query(), forecastQuery);
    return c.json({ forecast: await forecast(actorContext(c), project_id) });
  });

/** `/aerostat/v1/billing`: what things cost, what was used, and who pays. */
export const billingRoutes = new Hono<AppEnv>()
  .use(authenticate)
  .route('/products', catalog)
  .route('/subscriptions', subscriptions)
  .route('/accounts', accounts)
  .get('/defaults', async (c) => c.json({ defaults: defaultsView(await showDefaults(actorContext(c))) }))
  .put('/defaults', async (c) => {
    const { defaults } = await parseBody(c, defaultsBody);
    return c.json({ defaults: defaultsView(await setDefaults(actorContext(c), defaults)) });
  })
  .route('/invoices', invoices)
  .route('/purchases', purchases)
  .route('/reports', reports)
  .post('/quotes', async (c) => {
    const { quote: wanted } = await parseBody(c, quoteBody);
    return c.json({ quote: await quote(actorContext(c), wanted) });
  });
