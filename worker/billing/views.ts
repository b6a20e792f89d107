import type { billingPurchases } from '../../db/schema/billing.ts';
import { formatMicros, formatRational, readRational, subtract } from '../../shared/money.ts';
import { iso, isoOrNull } from '../http/times.ts';
import type { Defaults } from './accounts/defaults.ts';
import type { PriceRow } from './catalog/create-price.ts';
import type { ProductRow } from './catalog/create-product.ts';
import type { SubscriptionRow } from './farmer/read-rateables.ts';
import { monthName } from './rating/calendar.ts';
import type { AccountRow } from './scope.ts';

/** Digits that quantities are shown with; they are kept exactly. */
const QUANTITY_DIGITS = 9;
export const quantityView = (text: string): string => formatRational(readRational(text), QUANTITY_DIGITS);
export const quantityBetween = (before: string, after: string): string =>
  formatRational(subtract(readRational(after), readRational(before)), QUANTITY_DIGITS);

export const priceView = (row: PriceRow) => ({
  id: row.id,
  effective_from: iso(row.effectiveFromMs),
  terms: row.terms,
  created_at: iso(row.createdAtMs),
});

export const productView = (row: ProductRow, prices: PriceRow[]) => ({
  id: row.id,
  name: row.name,
  region: row.region,
  item: row.item,
  item_type: row.itemType,
  kind: row.kind,
  order_unit: row.orderUnit,
  order_size: row.orderSize,
  quantity_per: row.quantityPer,
  interval: row.interval,
  prepaid: row.prepaid,
  currency: row.currency,
  automatic: row.automatic,
  created_at: iso(row.createdAtMs),
  retired_at: isoOrNull(row.retiredAtMs),
  prices: prices.map(priceView),
});

export const subscriptionView = (row: SubscriptionRow) => ({
  id: row.id,
  project_id: row.projectId,
  product_id: row.productId,
  resource_type: row.resourceType,
  resource_id: row.resourceId,
  resource_name: row.resourceName,
  item_type: row.itemType,
  opened_by: row.openedBy,
  start: iso(row.startMs),
  end: isoOrNull(row.endMs),
  charged_through: iso(row.chargedThroughMs),
  fault: row.fault,
});

export interface Balances {
  currency: string;
  ownMicros: number;
  voucherMicros: number;
}

/** How an account pays, and what becomes of it when it does not. */
export const defaultsView = (row: Defaults) => ({
  mode: row.mode,
  currency: row.currency,
  credit_limit: row.creditLimitMicros === null ? null : formatMicros(row.creditLimitMicros, row.currency),
  low_balance: row.lowMicros === null ? null : formatMicros(row.lowMicros, row.currency),
  grace_hours: row.graceHours,
  delete_after_days: row.deleteAfterDays,
});

export const accountView = (row: AccountRow, projects: string[], balances: Balances[]) => ({
  id: row.id,
  name: row.name,
  ...defaultsView(row),
  state: row.state,
  state_since: iso(row.stateSinceMs),
  suspended_at: isoOrNull(row.suspendedAtMs),
  emptied_at: isoOrNull(row.emptiedAtMs),
  projects,
  balances: balances.map(({ currency, ownMicros, voucherMicros }) => ({
    currency,
    money: formatMicros(ownMicros, currency),
    vouchers: formatMicros(voucherMicros, currency),
  })),
});

export type PurchaseRow = typeof billingPurchases.$inferSelect;

export const purchaseView = (row: PurchaseRow) => ({
  id: row.id,
  project_id: row.projectId,
  subscription_id: row.subscriptionId,
  product_id: row.productId,
  price_id: row.priceId,
  period: monthName(row.periodMs),
  revision: row.revision,
  from: iso(row.fromMs),
  to: iso(row.throughMs),
  as_of: iso(row.asOfMs),
  quantity: quantityView(row.quantity),
  currency: row.currency,
  amount: formatMicros(row.amountMicros, row.currency),
  line_quantity: quantityView(row.quantityTotal),
  line_amount: formatMicros(row.amountTotalMicros, row.currency),
  invoice_month: monthName(row.invoiceMonthMs),
  booked_at: iso(row.atMs),
});
