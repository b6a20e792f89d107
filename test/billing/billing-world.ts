import { sql } from 'drizzle-orm';
import type { Database } from '../../db/client.ts';
import { usageSpans } from '../../db/schema/metering.ts';
import { productBody } from '../../worker/billing/bodies.ts';
import { createPrice } from '../../worker/billing/catalog/create-price.ts';
import { createProduct } from '../../worker/billing/catalog/create-product.ts';
import { farmRound } from '../../worker/billing/farmer/farm-round.ts';
import type { ActorContext } from '../../worker/http/context.ts';
import { actorContextOf } from '../edge-context.ts';

export const at = (iso: string): number => Date.parse(iso);
export const HOUR = 3_600_000;

/** A region of its own, with a clock that a test turns, and resources that live as it says. */
export class BillingWorld {
  nowMs: number;
  readonly region = `b-${crypto.randomUUID().slice(0, 8)}`;
  readonly projectId = crypto.randomUUID().replaceAll('-', '');
  readonly ctx: ActorContext;

  constructor(start: string) {
    this.nowMs = at(start);
    this.ctx = { ...actorContextOf('operator', ['admin', 'manager', 'member', 'reader']), region: this.region };
    this.ctx.clock = { nowMs: () => this.nowMs };
  }

  /** A product of servers of flavor m1, 0.10 EUR an hour, if nothing else is said; it has its price from the next hour. */
  async product(of: Record<string, unknown> = {}): Promise<string> {
    const { product } = productBody.parse({
      product: {
        name: `p-${crypto.randomUUID()}`,
        item: 'server',
        item_type: 'm1',
        order_unit: 'hours',
        currency: 'EUR',
        price: this.price({ model: 'per_unit', unit_price: '0.10' }),
        ...of,
      },
    });
    return (await createProduct(this.ctx, product)).product.id;
  }

  /** Terms from a moment on; the next full hour, if none is said. */
  price(terms: Record<string, unknown>, from?: string) {
    const next = new Date((Math.floor(this.nowMs / HOUR) + 1) * HOUR).toISOString();
    return { effective_from: from ?? next, terms };
  }

  async reprice(productId: string, terms: Record<string, unknown>, from: string): Promise<void> {
    const { product } = productBody.parse({
      product: { name: 'x', item: 'server', order_unit: 'hours', currency: 'EUR', price: this.price(terms, from) },
    });
    if (product.price) await createPrice(this.ctx, productId, product.price);
  }

  /** A resource that lives from a moment on. @returns its id */
  async open(when: string | number, of: Partial<typeof usageSpans.$inferInsert> = {}): Promise<string> {
    const resourceId = of.resourceId ?? crypto.randomUUID();
    await this.ctx.db.insert(usageSpans).values({
      region: this.region,
      projectId: this.projectId,
      resourceType: 'server',
      resourceName: `vm-${resourceId.slice(0, 4)}`,
      itemType: 'm1',
      state: 'active',
      ...of,
      resourceId,
      startMs: typeof when === 'string' ? at(when) : when,
    });
    return resourceId;
  }

  /** Ends its span and, unless it is gone, begins the next, in one batch as a trigger would. */
  async change(resourceId: string, when: string | number, to: Partial<typeof usageSpans.$inferInsert> | null) {
    const ms = typeof when === 'string' ? at(when) : when;
    const end = this.ctx.db.run(
      sql`UPDATE usage_spans SET end_ms = ${ms} WHERE resource_id = ${resourceId} AND end_ms IS NULL`,
    );
    if (to === null) return void (await this.ctx.db.batch([end]));
    const [last] = await this.ctx.db
      .select()
      .from(usageSpans)
      .where(sql`resource_id = ${resourceId} AND end_ms IS NULL`);
    if (!last) throw new Error(`${resourceId} does not live`);
    const { id: _, ...span } = last;
    await this.ctx.db.batch([end, this.ctx.db.insert(usageSpans).values({ ...span, endMs: null, ...to, startMs: ms })]);
  }

  /** Seals an hour of a meter on a machine. */
  async seal(
    resourceId: string,
    hour: string,
    value: number,
    of: { meter?: string; runner?: string; type?: string } = {},
  ) {
    const { meter = 'floating_ip.egress.bytes', runner = `r-${this.region}`, type = 'floating_ip' } = of;
    await this.ctx.db.batch([
      this.ctx.db.run(sql`INSERT INTO meter_windows (region, project_id, resource_type, resource_id, meter, start_ms, runner_id, value, coverage, sealed_at_ms)
        VALUES (${this.region}, ${this.projectId}, ${type}, ${resourceId}, ${meter}, ${at(hour)}, ${runner}, ${value}, 10000, ${this.nowMs})
        ON CONFLICT (resource_id, meter, start_ms, runner_id) DO UPDATE SET value = excluded.value, revision = revision + 1`),
      this.sealedThrough(at(hour) + HOUR, runner),
    ]);
  }

  sealedThrough(ms: number, runner = `r-${this.region}`) {
    return this.ctx.db.run(sql`INSERT INTO meter_progress (runner_id, region, sealed_through_ms) VALUES (${runner}, ${this.region}, ${ms})
      ON CONFLICT (runner_id) DO UPDATE SET sealed_through_ms = max(sealed_through_ms, excluded.sealed_through_ms)`);
  }

  /** Rounds at a moment, until nothing is due. */
  async farm(when: string | number, ctx: ActorContext = this.ctx): Promise<void> {
    this.nowMs = typeof when === 'string' ? at(when) : when;
    for (let round = 0; round < 100; round += 1) {
      const { subscriptions } = await farmRound(ctx);
      if (subscriptions === 0) return;
    }
    throw new Error('the farmer never ends');
  }

  /** What is booked, in an order that does not depend on who was first. */
  purchases() {
    return this.ctx.db.all<{
      resource: string;
      period: number;
      revision: number;
      fromMs: number;
      throughMs: number;
      quantity: string;
      cents: number;
      invoice: number;
      effective: number;
    }>(sql`SELECT s.resource_id AS resource, p.period_ms AS period, p.revision, p.from_ms AS "fromMs", p.through_ms AS "throughMs", p.quantity, p.amount_micros / 10000.0 AS cents,
        p.invoice_month_ms AS invoice, price.effective_from_ms AS effective
      FROM billing_purchases p JOIN billing_subscriptions s ON s.id = p.subscription_id JOIN billing_prices price ON price.id = p.price_id
      WHERE p.region = ${this.region} ORDER BY s.resource_id, p.period_ms, price.effective_from_ms, s.start_ms, p.revision`);
  }

  async cents(): Promise<number[]> {
    return (await this.purchases()).map(({ cents }) => cents);
  }

  /** In cents. */
  async balance(ledgerAccount: string): Promise<number> {
    const [row] = await this.ctx.db.all<{ cents: number }>(
      sql`SELECT balance_micros / 10000.0 AS cents FROM billing_balances WHERE ledger_account = ${ledgerAccount} AND currency = 'EUR'`,
    );
    return row?.cents ?? 0;
  }

  get accountId(): string {
    return `${this.region}.${this.projectId}`;
  }

  /** What must hold whatever has happened. @returns the violations */
  violations(): Promise<unknown[]> {
    return violationsOf(this.ctx.db, this.region);
  }
}

/** What must hold whatever has happened. @returns the violations */
export async function violationsOf(db: Database, region: string): Promise<unknown[]> {
  const ledger = sql`billing_transfers WHERE region = ${region}`;
  const checks = {
    'balances are the sums of transfers': sql`
      SELECT account, currency, sum(micros) AS micros FROM (
        SELECT to_account AS account, currency, amount_micros AS micros FROM ${ledger}
        UNION ALL SELECT from_account, currency, -amount_micros FROM ${ledger}) GROUP BY account, currency
      EXCEPT SELECT ledger_account, currency, balance_micros FROM billing_balances`,
    'purchases are paid': sql`SELECT purchase.id, purchase.amount_micros, (SELECT coalesce(sum(CASE WHEN to_account LIKE 'revenue:%' THEN amount_micros ELSE -amount_micros END), 0)
        FROM billing_transfers WHERE reference = purchase.id) AS paid FROM billing_purchases purchase WHERE region = ${region} AND paid <> purchase.amount_micros`,
    'a line is the sum of its purchases': sql`SELECT subscription_id, sum(amount_micros) AS sum FROM billing_purchases WHERE region = ${region} GROUP BY subscription_id, price_id, period_ms
      HAVING sum <> (SELECT amount_total_micros FROM billing_purchases last WHERE last.subscription_id = billing_purchases.subscription_id AND last.price_id = billing_purchases.price_id
        AND last.period_ms = billing_purchases.period_ms ORDER BY revision DESC LIMIT 1) OR count(*) <> max(revision)`,
    'invoices are the sums of their purchases': sql`SELECT id, total_micros FROM billing_invoices invoice WHERE region = ${region} AND status = 'final' AND (
      total_micros <> (SELECT sum(amount_micros) FROM billing_invoice_lines WHERE invoice_id = invoice.id)
      OR (SELECT sum(booked_micros) FROM billing_invoice_lines WHERE invoice_id = invoice.id) <>
        (SELECT sum(amount_micros) FROM billing_purchases p WHERE p.account_id = invoice.account_id AND p.invoice_month_ms = invoice.month_ms AND p.currency = invoice.currency))`,
    'sums are those of their purchases': sql`SELECT account_id, invoice_month_ms, currency, project_id, price_id, period_ms, count(*), sum(amount_micros) FROM billing_purchases
      WHERE region = ${region} GROUP BY account_id, invoice_month_ms, currency, project_id, price_id, period_ms
      EXCEPT SELECT account_id, invoice_month_ms, currency, project_id, price_id, period_ms, purchases, booked_micros FROM billing_invoice_sums`,
    'lines are the sums of their details': sql`SELECT line.* FROM billing_invoice_lines line JOIN billing_invoices invoice ON invoice.id = line.invoice_id WHERE invoice.region = ${region}
      AND (booked_micros, details) <> (SELECT sum(amount_micros), count(*) FROM billing_invoice_details detail WHERE detail.invoice_id = line.invoice_id
        AND detail.project_id = line.project_id AND detail.price_id = line.price_id AND detail.period_ms = line.period_ms)`,
    'what is owed is what invoices say': sql`SELECT account.id, (SELECT sum(total_micros) FROM billing_invoices WHERE account_id = account.id AND status = 'final') AS invoiced,
        (SELECT sum(CASE WHEN to_account LIKE 'revenue:%' OR to_account LIKE 'rounding:%' THEN transfer.amount_micros ELSE -transfer.amount_micros END)
        FROM billing_transfers transfer WHERE transfer.reference IN (SELECT id FROM billing_invoices WHERE account_id = account.id
          UNION ALL SELECT p.id FROM billing_purchases p JOIN billing_invoices i ON p.account_id = i.account_id AND p.invoice_month_ms = i.month_ms AND p.currency = i.currency
            WHERE i.account_id = account.id AND i.status = 'final')) AS moved
      FROM billing_accounts account WHERE region = ${region} AND coalesce(invoiced, 0) <> coalesce(moved, 0)`,
    'vouchers are not overdrawn': sql`SELECT * FROM billing_balances WHERE ledger_account LIKE 'voucher:%' AND balance_micros < 0`,
    'numbers are without gaps': sql`SELECT account_id FROM billing_invoices WHERE region = ${region} AND number IS NOT NULL GROUP BY account_id HAVING count(*) <> max(number) OR min(number) <> 1`,
  };
  const found = await Promise.all(
    Object.entries(checks).map(async ([name, query]) => (await db.all(query)).map((row) => [name, row])),
  );
  return found.flat();
}
