import { sql } from 'drizzle-orm';
import { check, index, integer, primaryKey, sqliteTable, text, uniqueIndex } from 'drizzle-orm/sqlite-core';

/** What is sold: an item of a region by its type, how it is counted, and when it is charged. */
export const billingProducts = sqliteTable(
  'billing_products',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    name: text().notNull(),
    /** A `resource_type` of `usage_spans`, or a meter of `shared/meters.ts`. */
    item: text().notNull(),
    /** A flavor of servers; `default` where there is but one. */
    itemType: text().notNull(),
    kind: text({ enum: ['time', 'volume'] }).notNull(),
    /** With `orderSize`: what the price is for, as 1 `hours` or 10 `MB`. */
    orderUnit: text().notNull(),
    orderSize: integer().notNull(),
    /** How much of a resource's own quantity counts as one: 1 of servers, 1073741824 where images are priced by GiB. */
    quantityPer: integer().notNull().default(1),
    interval: text({ enum: ['hourly', 'daily', 'monthly'] }).notNull(),
    prepaid: integer({ mode: 'boolean' }).notNull(),
    currency: text().notNull(),
    /** Subscribed by itself with the life of each resource; otherwise by call. */
    automatic: integer({ mode: 'boolean' }).notNull(),
    createdAtMs: integer().notNull(),
    retiredAtMs: integer(),
    /** When its subscriptions were last held against what runs; 0: do it now. */
    reconciledAtMs: integer().notNull().default(0),
  },
  (t) => [
    uniqueIndex('billing_products_automatic')
      .on(t.region, t.item, t.itemType)
      .where(sql`automatic = 1 AND retired_at_ms IS NULL`),
    uniqueIndex('billing_products_name').on(t.region, t.name).where(sql`retired_at_ms IS NULL`),
  ],
);

/** What a product costs from a moment on. Never changed: another price is another row. */
export const billingPrices = sqliteTable(
  'billing_prices',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    productId: text()
      .notNull()
      .references(() => billingProducts.id),
    effectiveFromMs: integer().notNull(),
    /** As `priceTerms` of worker/billing/rating/price-terms.ts. */
    terms: text({ mode: 'json' }).$type<Record<string, unknown>>().notNull(),
    createdBy: text().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [uniqueIndex('billing_prices_effective').on(t.productId, t.effectiveFromMs)],
);

/** That a resource is charged for by a product, while it lives; and how far that has come. */
export const billingSubscriptions = sqliteTable(
  'billing_subscriptions',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    projectId: text().notNull(),
    productId: text()
      .notNull()
      .references(() => billingProducts.id),
    kind: text({ enum: ['time', 'volume'] }).notNull(),
    resourceType: text().notNull(),
    resourceId: text().notNull(),
    resourceName: text().notNull(),
    itemType: text().notNull(),
    /** For what has no spans: how much there is of it. */
    quantity: integer().notNull().default(1),
    openedBy: text({ enum: ['span', 'window', 'call'] }).notNull(),
    startMs: integer().notNull(),
    endMs: integer(),
    /** The last moment it was rated at. Before the first: the millisecond before its start. */
    visitedMs: integer().notNull(),
    /** Through when it is charged: ahead of `visitedMs` where it is prepaid. */
    chargedThroughMs: integer().notNull(),
    /** Usage from here on has changed since it was rated. */
    dirtyFromMs: integer(),
    /** When the farmer must look at it; null: when something happens. */
    dueMs: integer(),
    /** Rises with each change: who has read an older one must not write. */
    revision: integer().notNull().default(1),
    leaseUntilMs: integer().notNull().default(0),
    /** Why it could not be rated, the last time. */
    fault: text(),
  },
  (t) => [
    uniqueIndex('billing_subscriptions_open').on(t.resourceId, t.productId).where(sql`end_ms IS NULL`),
    index('billing_subscriptions_due').on(t.region, t.dueMs).where(sql`due_ms IS NOT NULL`),
    index('billing_subscriptions_resource').on(t.resourceId, t.productId),
    index('billing_subscriptions_project').on(t.projectId, t.startMs),
    index('billing_subscriptions_product').on(t.productId),
  ],
);

/** Who pays. */
export const billingAccounts = sqliteTable(
  'billing_accounts',
  {
    /** Made on first use for a project: `<region>.<project>`. */
    id: text().primaryKey(),
    region: text().notNull(),
    name: text().notNull(),
    mode: text({ enum: ['prepaid', 'postpaid'] }).notNull(),
    /** Of the credit limit, the low mark and the state. */
    currency: text().notNull(),
    /** How far below nothing the balance may go; null: as far as it comes. */
    creditLimitMicros: integer(),
    /** Below this much available it is told to be low; null: never. */
    lowMicros: integer(),
    state: text({ enum: ['ok', 'low', 'exhausted'] }).notNull(),
    stateSinceMs: integer().notNull(),
    /** The last purchase that an event has told of. */
    toldSequence: integer().notNull().default(0),
    /** How long after it is exhausted its servers are stopped, and how long after that all is deleted; null: never. */
    graceHours: integer(),
    deleteAfterDays: integer(),
    /** Where it stands on that ladder: since when, and what it was told. */
    suspendedAtMs: integer(),
    deletionToldAtMs: integer(),
    emptiedAtMs: integer(),
    createdAtMs: integer().notNull(),
  },
  (t) => [
    index('billing_accounts_region').on(t.region),
    index('billing_accounts_suspended').on(t.region).where(sql`suspended_at_ms IS NOT NULL`),
  ],
);

/** What the accounts of a region are that projects get by themselves. */
export const billingDefaults = sqliteTable('billing_defaults', {
  region: text().primaryKey(),
  mode: text({ enum: ['prepaid', 'postpaid'] }).notNull(),
  currency: text().notNull(),
  creditLimitMicros: integer(),
  lowMicros: integer(),
  graceHours: integer(),
  deleteAfterDays: integer(),
});

/** Servers that were stopped because their account is suspended: these are not stopped again, and start again when it is not. */
export const billingStoppedServers = sqliteTable(
  'billing_stopped_servers',
  {
    serverId: text().primaryKey(),
    region: text().notNull(),
    /** That somebody started it meanwhile: whatever it is by then is what they want. */
    started: integer({ mode: 'boolean' }).notNull().default(false),
  },
  (t) => [index('billing_stopped_servers_region').on(t.region)],
);

/** Which account pays for a project. */
export const billingAccountProjects = sqliteTable(
  'billing_account_projects',
  {
    region: text().notNull(),
    projectId: text().notNull(),
    accountId: text()
      .notNull()
      .references(() => billingAccounts.id),
  },
  (t) => [primaryKey({ columns: [t.region, t.projectId] }), index('billing_account_projects_account').on(t.accountId)],
);

/**
 * What was booked: the difference between what a line (subscription, price, month) comes to by now and what was booked of
 * it before. Never changed.
 */
export const billingPurchases = sqliteTable(
  'billing_purchases',
  {
    sequence: integer().primaryKey({ autoIncrement: true }),
    id: text().notNull().unique(),
    region: text().notNull(),
    accountId: text().notNull(),
    projectId: text().notNull(),
    subscriptionId: text()
      .notNull()
      .references(() => billingSubscriptions.id),
    productId: text().notNull(),
    priceId: text().notNull(),
    /** The month of the line: when the usage was. */
    periodMs: integer().notNull(),
    /** Counts the purchases of the line. */
    revision: integer().notNull(),
    /** The service that it is for, and the moment whose knowledge it was rated by. */
    fromMs: integer().notNull(),
    throughMs: integer().notNull(),
    asOfMs: integer().notNull(),
    /** In order units times order size, exact, as `n/d`: since the last, and of the line so far. */
    quantity: text().notNull(),
    quantityTotal: text().notNull(),
    currency: text().notNull(),
    amountMicros: integer().notNull(),
    amountTotalMicros: integer().notNull(),
    /** The month of the invoice that it is on; another than `periodMs` if that one was final. */
    invoiceMonthMs: integer().notNull(),
    atMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('billing_purchases_line').on(t.subscriptionId, t.priceId, t.periodMs, t.revision),
    /** In the order in which an invoice's details are read. */
    index('billing_purchases_invoice').on(
      t.accountId,
      t.invoiceMonthMs,
      t.currency,
      t.subscriptionId,
      t.priceId,
      t.periodMs,
    ),
    index('billing_purchases_project').on(t.projectId, t.fromMs),
    index('billing_purchases_listed').on(t.projectId, t.sequence),
    index('billing_purchases_account').on(t.accountId, t.sequence),
  ],
);

/**
 * Money as it moves: each row takes an amount from one account of the ledger and gives it to another, so that all
 * balances sum to zero whatever is written. Never changed.
 */
export const billingTransfers = sqliteTable(
  'billing_transfers',
  {
    id: integer().primaryKey({ autoIncrement: true }),
    region: text().notNull(),
    /** What it is for: a purchase, a deposit. With `leg`, there once. */
    reference: text().notNull(),
    leg: text().notNull(),
    kind: text({ enum: ['purchase', 'deposit', 'withdrawal', 'voucher', 'expiry', 'credit', 'rounding'] }).notNull(),
    /** `customer:<account>`, `voucher:<voucher>`, `revenue:<region>`, `cash:<region>`, `promotion:<region>`, `breakage:<region>`. */
    fromAccount: text().notNull(),
    toAccount: text().notNull(),
    currency: text().notNull(),
    amountMicros: integer().notNull(),
    description: text().notNull().default(''),
    atMs: integer().notNull(),
  },
  (t) => [
    check('billing_transfers_positive', sql`amount_micros > 0`),
    uniqueIndex('billing_transfers_reference').on(t.reference, t.leg),
    index('billing_transfers_from').on(t.fromAccount, t.id),
    index('billing_transfers_to').on(t.toAccount, t.id),
  ],
);

/** The sum of an account's transfers, kept by a trigger. */
export const billingBalances = sqliteTable(
  'billing_balances',
  { ledgerAccount: text().notNull(), currency: text().notNull(), balanceMicros: integer().notNull() },
  (t) => [primaryKey({ columns: [t.ledgerAccount, t.currency] })],
);

/** Money given to an account that must be spent by a moment; what is left then is taken back. */
export const billingVouchers = sqliteTable(
  'billing_vouchers',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    accountId: text()
      .notNull()
      .references(() => billingAccounts.id),
    currency: text().notNull(),
    amountMicros: integer().notNull(),
    reason: text().notNull(),
    expiresAtMs: integer().notNull(),
    expiredAtMs: integer(),
    createdBy: text().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [
    index('billing_vouchers_account').on(t.accountId, t.expiresAtMs),
    index('billing_vouchers_expiry').on(t.region, t.expiresAtMs).where(sql`expired_at_ms IS NULL`),
  ],
);

/** What an account owes for a month: open while it lasts, then a draft that late usage may still change, then final. */
export const billingInvoices = sqliteTable(
  'billing_invoices',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    accountId: text()
      .notNull()
      .references(() => billingAccounts.id),
    monthMs: integer().notNull(),
    currency: text().notNull(),
    status: text({ enum: ['open', 'draft', 'final'] }).notNull(),
    /** 1, 2, 3 ... of the account's, without gaps; null until it is final. */
    number: integer(),
    totalMicros: integer(),
    finalizedAtMs: integer(),
    createdAtMs: integer().notNull(),
  },
  (t) => [
    uniqueIndex('billing_invoices_month').on(t.accountId, t.monthMs, t.currency),
    uniqueIndex('billing_invoices_number').on(t.accountId, t.number),
    index('billing_invoices_status').on(t.region, t.status, t.monthMs),
  ],
);

/**
 * What the purchases of an invoice come to by project, price and month of use, kept by a trigger: what a month costs is known
 * without reading all that was bought in it.
 */
export const billingInvoiceSums = sqliteTable(
  'billing_invoice_sums',
  {
    region: text().notNull(),
    accountId: text().notNull(),
    invoiceMonthMs: integer().notNull(),
    currency: text().notNull(),
    projectId: text().notNull(),
    productId: text().notNull(),
    priceId: text().notNull(),
    periodMs: integer().notNull(),
    purchases: integer().notNull(),
    bookedMicros: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.accountId, t.invoiceMonthMs, t.currency, t.projectId, t.priceId, t.periodMs] }),
    index('billing_invoice_sums_project').on(t.projectId, t.invoiceMonthMs),
  ],
);

/** The lines of a final invoice: what a project used of a product at a price in a month, and what is paid for it. */
export const billingInvoiceLines = sqliteTable(
  'billing_invoice_lines',
  {
    invoiceId: text()
      .notNull()
      .references(() => billingInvoices.id),
    position: integer().notNull(),
    projectId: text().notNull(),
    priceId: text().notNull(),
    periodMs: integer().notNull(),
    fromMs: integer().notNull(),
    throughMs: integer().notNull(),
    product: text().notNull(),
    item: text().notNull(),
    itemType: text().notNull(),
    orderUnit: text().notNull(),
    orderSize: integer().notNull(),
    /** How many subscriptions the line is the sum of. */
    details: integer().notNull(),
    /** That no earlier invoice has, `n/d`. */
    quantity: text().notNull(),
    /** The sum of its purchases; and what of it is paid, in whole minor units. */
    bookedMicros: integer().notNull(),
    amountMicros: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.invoiceId, t.position] }),
    /** What earlier invoices have of a line whose usage came late. */
    index('billing_invoice_lines_price').on(t.priceId, t.periodMs, t.projectId),
  ],
);

/** What the lines of a final invoice are the sums of, by subscription, with the names that things had. */
export const billingInvoiceDetails = sqliteTable(
  'billing_invoice_details',
  {
    invoiceId: text()
      .notNull()
      .references(() => billingInvoices.id),
    position: integer().notNull(),
    /** The position of its line. */
    line: integer().notNull(),
    subscriptionId: text().notNull(),
    priceId: text().notNull(),
    projectId: text().notNull(),
    periodMs: integer().notNull(),
    fromMs: integer().notNull(),
    throughMs: integer().notNull(),
    resourceId: text().notNull(),
    resourceName: text().notNull(),
    /** Of the line when it was final, and what an earlier invoice had of it already; `n/d`. */
    quantityTotal: text().notNull(),
    quantityBefore: text().notNull(),
    amountMicros: integer().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.invoiceId, t.position] }),
    index('billing_invoice_details_line').on(t.invoiceId, t.line, t.position),
  ],
);

/** How much an account means to spend in a month, and at which parts of it somebody wants to know. */
export const billingBudgets = sqliteTable(
  'billing_budgets',
  {
    id: text().primaryKey(),
    region: text().notNull(),
    accountId: text()
      .notNull()
      .references(() => billingAccounts.id),
    name: text().notNull(),
    currency: text().notNull(),
    amountMicros: integer().notNull(),
    /** In percent. */
    thresholds: text({ mode: 'json' }).$type<number[]>().notNull(),
    createdAtMs: integer().notNull(),
  },
  (t) => [uniqueIndex('billing_budgets_name').on(t.accountId, t.name)],
);

/** That a threshold was passed in a month, and told. */
export const billingBudgetAlerts = sqliteTable(
  'billing_budget_alerts',
  {
    budgetId: text().notNull(),
    monthMs: integer().notNull(),
    threshold: integer().notNull(),
    atMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.budgetId, t.monthMs, t.threshold] })],
);

/** Money that a create has claimed and no purchase has taken yet. */
export const billingHolds = sqliteTable(
  'billing_holds',
  {
    resourceId: text().notNull(),
    /** By which it will be charged: a server that is resized has a claim for each of its flavors. */
    productId: text().notNull(),
    region: text().notNull(),
    accountId: text().notNull(),
    currency: text().notNull(),
    amountMicros: integer().notNull(),
    expiresAtMs: integer().notNull(),
  },
  (t) => [primaryKey({ columns: [t.resourceId, t.productId] }), index('billing_holds_account').on(t.accountId)],
);
