import { type SQL, sql } from 'drizzle-orm';
import { writeRational } from '../../../shared/money.ts';
import { assertThat, runBatch, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { accountOf, ensureAccount } from '../accounts/default-account.ts';
import { type IdentifiedPurchase, payPurchases } from '../ledger/pay-purchases.ts';
import { monthStart } from '../rating/calendar.ts';
import type { VisitPlan } from '../rating/plan-visits.ts';
import type { Read } from './read-rateables.ts';
import { type OwnedPurchase, type Payer, splitRefunds } from './split-refunds.ts';

/** What fails a batch whose subscription has changed since it was read: somebody else is at it, or its resource moved on. */
export const UNCHANGED = 'billing-subscription-unchanged';

/** What fails one whose project has another account than when it was read. */
const SAME_ACCOUNT = 'billing-account-unchanged';

/**
 * Writes what a subscription was planned to be charged, the money that moves, and how far it has come: in one batch.
 * @param leaseUntilMs - of who goes on with it at once
 * @returns what was booked: as planned, but for what is given back to more than one account
 * @throws AssertionFailed where it has changed since it was read; ConstraintFailed where another has booked the same
 */
export async function bookVisits(
  ctx: Context,
  read: Read,
  plan: VisitPlan,
  leaseUntilMs = 0,
): Promise<OwnedPurchase[]> {
  const { row } = read;
  const id = idsOf(ctx);
  const owned = splitRefunds(plan.purchases, await payersOf(ctx, read, plan), read.accountId);
  const purchases = owned.map((one, at) => ({ ...one, id: id(at) }));
  const statements = [
    assertThat(
      ctx.db,
      UNCHANGED,
      sql`EXISTS (SELECT 1 FROM billing_subscriptions WHERE id = ${row.id} AND revision = ${row.revision})`,
    ),
    ...(purchases.length > 0 ? purchaseStatements(ctx, read, purchases) : []),
    ...(purchases.length > 0 || isOver(row, plan) ? [takeClaim(ctx, row)] : []),
    ctx.db.run(sql`
      UPDATE billing_subscriptions SET visited_ms = ${plan.visitedMs}, charged_through_ms = ${plan.chargedThroughMs}, due_ms = ${plan.dueMs},
        dirty_from_ms = NULL, revision = revision + 1, lease_until_ms = ${leaseUntilMs}, fault = NULL
      WHERE id = ${row.id}`),
  ];
  // No audit: purchases are never changed, and say it all.
  await runBatch(ctx.db, statements);
  return owned;
}

/** Whether nothing more will come of it: what never ran, and is gone, has bought nothing. */
const isOver = ({ endMs }: Read['row'], { visitedMs }: VisitPlan) => endMs !== null && endMs <= visitedMs;

/** A purchase takes the place of what was claimed for it by the same product: traffic of the same resource takes nothing of it. */
const takeClaim = (ctx: Context, { resourceId, productId }: Read['row']): Statement =>
  ctx.db.run(sql`DELETE FROM billing_holds WHERE resource_id = ${resourceId} AND product_id = ${productId}`);

/** Who paid the lines of which something is given back, who paid last at the end; whoever books more of them changes the subscription. */
async function payersOf(ctx: Context, { row }: Read, { purchases }: VisitPlan): Promise<Payer[]> {
  const months = new Set(purchases.filter(({ amountMicros }) => amountMicros < 0).map(({ periodMs }) => periodMs));
  if (months.size === 0) return [];
  return ctx.db.all<Payer>(sql`
    SELECT price_id AS "priceId", period_ms AS "periodMs", account_id AS "accountId", sum(amount_micros) AS micros
    FROM billing_purchases WHERE subscription_id = ${row.id} AND period_ms IN (SELECT value FROM json_each(${JSON.stringify([...months])}))
    GROUP BY price_id, period_ms, account_id ORDER BY max(sequence)`);
}

function purchaseStatements(ctx: Context, read: Read, purchases: IdentifiedPurchase[]): Statement[] {
  const { region, projectId } = read.row;
  return [
    ...ensureAccount(ctx, projectId),
    assertThat(ctx.db, SAME_ACCOUNT, sql`${accountOf(region, projectId)} = ${read.accountId}`),
    insertPurchases(ctx, read, purchases),
    openInvoices(ctx, purchases),
    ...payPurchases(ctx, purchases, read.vouchers),
  ];
}

/**
 * Ids that differ in their last digits alone: what is written together lies together in each index of them, and a batch
 * changes a few pages of it instead of one for each purchase.
 */
function idsOf(ctx: Context): (at: number) => string {
  const random = ctx.ids.uuid();
  return (at) => `${random.slice(0, -ID_DIGITS)}${at.toString(16).padStart(ID_DIGITS, '0')}`;
}
/** Of so many hexadecimal digits: more than a batch has purchases, and 106 bits stay random. */
const ID_DIGITS = 4;

/** What a purchase is written from, as a list: members that are named cost more to find than all else of a row. */
const MEMBERS = [
  ...(['id', 'accountId', 'priceId', 'periodMs', 'revision', 'fromMs', 'throughMs', 'asOfMs'] as const),
  ...(['quantity', 'quantityTotal', 'amountMicros', 'amountTotalMicros'] as const),
] as const;
const of = (member: (typeof MEMBERS)[number]): SQL => sql.raw(`(one.value ->> ${MEMBERS.indexOf(member)})`);
const listed = (one: IdentifiedPurchase) =>
  MEMBERS.map((member) => {
    const value = one[member];
    return typeof value === 'object' ? writeRational(value) : value;
  });

/** A purchase is on its month's invoice, or, where that one is final, on this month's. */
function insertPurchases(ctx: Context, { row, rateable }: Read, purchases: IdentifiedPurchase[]): Statement {
  const now = ctx.clock.nowMs();
  const { currency, id: productId } = rateable.product;
  const rows = purchases.map(listed);
  return ctx.db.run(sql`
    INSERT INTO billing_purchases (id, region, account_id, project_id, subscription_id, product_id, price_id, period_ms, revision,
      from_ms, through_ms, as_of_ms, quantity, quantity_total, currency, amount_micros, amount_total_micros, invoice_month_ms, at_ms)
    SELECT ${of('id')}, ${row.region}, ${of('accountId')}, ${row.projectId}, ${row.id}, ${productId}, ${of('priceId')}, ${of('periodMs')}, ${of('revision')},
      ${of('fromMs')}, ${of('throughMs')}, ${of('asOfMs')}, ${of('quantity')}, ${of('quantityTotal')}, ${currency}, ${of('amountMicros')}, ${of('amountTotalMicros')},
      CASE WHEN EXISTS (SELECT 1 FROM billing_invoices WHERE account_id = ${of('accountId')} AND month_ms = ${of('periodMs')} AND currency = ${currency} AND status = 'final')
        THEN max(${of('periodMs')}, ${monthStart(now)}) ELSE ${of('periodMs')} END,
      ${now}
    FROM json_each(${JSON.stringify(rows)}) one ORDER BY one.key`);
}

function openInvoices(ctx: Context, purchases: IdentifiedPurchase[]): Statement {
  const ids = JSON.stringify(purchases.map(({ id }) => id));
  return ctx.db.run(sql`
    INSERT INTO billing_invoices (id, region, account_id, month_ms, currency, status, created_at_ms)
    SELECT lower(hex(randomblob(16))), region, account_id, invoice_month_ms, currency, 'open', ${ctx.clock.nowMs()}
    FROM billing_purchases WHERE id IN (SELECT value FROM json_each(${ids}))
    GROUP BY account_id, invoice_month_ms, currency
    ON CONFLICT DO NOTHING`);
}
