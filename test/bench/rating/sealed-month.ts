import { type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../db/client.ts';
import { billingPrices, billingProducts } from '../../../db/schema/billing.ts';
import { randomIds } from '../../../shared/ids.ts';

export const HOUR_MS = 3_600_000;
/** A month of 720 hours, long over. */
export const MONTH_MS = Date.UTC(2026, 8, 1);
export const MONTH_HOURS = 720;
export const METERED_REGION = 'metered';
const METER = 'floating_ip.egress.bytes';
const GUESTS_PER_MACHINE = 100;
/** Rows of one statement: it ends well before a transaction must. */
const ROWS_PER_STATEMENT = 10_000;
const GB = 10n ** 9n;

/** What is rated, and how it is charged. */
export interface Month {
  resources: number;
  /** Of each resource, from the month's begin. */
  hours: number;
  accounts: number;
  interval: 'hourly' | 'daily' | 'monthly';
  model: keyof typeof PRICES;
}

/** By model: its terms, and what bytes cost by it in micros times 10^9, worked out without the code that is measured. */
export const PRICES = {
  per_unit: { terms: { model: 'per_unit', unit_price: '0.0123' }, costOf: (bytes: bigint) => bytes * 12_300n },
  graduated: {
    terms: {
      model: 'graduated',
      included: '10',
      tiers: [
        { up_to: '100', unit_price: '0.05' },
        { up_to: null, unit_price: '0.03' },
      ],
    },
    costOf: (bytes: bigint) => {
      const charged = bytes > 10n * GB ? bytes - 10n * GB : 0n;
      const dear = charged < 100n * GB ? charged : 100n * GB;
      return dear * 50_000n + (charged - dear) * 30_000n;
    },
  },
};

/** Fills a database with the sealed windows of resources, one project and account for some of them each, and what prices them. */
export async function fillMonth(db: Database, month: Month): Promise<void> {
  await sell(db, month);
  const each = Math.max(1, Math.floor(ROWS_PER_STATEMENT / month.hours));
  for (let from = 0; from < month.resources; from += each) {
    const to = Math.min(month.resources, from + each);
    await db.run(sql`INSERT INTO usage_spans (region, project_id, resource_type, resource_id, resource_name, item_type, state, start_ms)
      ${numbers('resource', from, to)}
      SELECT ${METERED_REGION}, ${projectOf(month)}, 'floating_ip', ${RESOURCE_ID}, 'address ' || resource.n, 'default', 'associated', ${MONTH_MS} FROM resource`);
    await db.run(sql`INSERT INTO meter_windows (region, project_id, resource_type, resource_id, meter, start_ms, runner_id, value, coverage, sealed_at_ms)
      ${numbers('resource', from, to)}, ${numbers('hour', 0, month.hours, '')}
      SELECT ${METERED_REGION}, ${projectOf(month)}, 'floating_ip', ${RESOURCE_ID}, ${METER}, ${MONTH_MS} + hour.n * ${HOUR_MS}, ${MACHINE}, ${VALUE}, 10000,
        ${MONTH_MS} + (hour.n + 1) * ${HOUR_MS} FROM resource, hour`);
  }
  await db.run(sql`INSERT INTO meter_progress (runner_id, region, sealed_through_ms)
    SELECT DISTINCT runner_id, region, ${MONTH_MS + MONTH_HOURS * HOUR_MS} FROM meter_windows WHERE region = ${METERED_REGION}`);
}

/** What each resource must come to, in micros times 10^9, exactly; and whose it is. */
export async function expectedDetails(db: Database, { model }: Month): Promise<{ projectId: string; cost: bigint }[]> {
  const sums = await db.all<{ projectId: string; bytes: string }>(sql`
    SELECT project_id AS "projectId", CAST(sum(value) AS TEXT) AS bytes FROM meter_windows WHERE region = ${METERED_REGION} GROUP BY resource_id`);
  return sums.map(({ projectId, bytes }) => ({ projectId, cost: PRICES[model].costOf(BigInt(bytes)) }));
}

async function sell(db: Database, { interval, model }: Month): Promise<void> {
  const product = {
    ...{ id: randomIds.uuid(), region: METERED_REGION, name: 'traffic', item: METER, itemType: 'default' },
    ...{ kind: 'volume' as const, orderUnit: 'GB', orderSize: 1, interval, prepaid: false, currency: 'EUR' },
    ...{ automatic: true, createdAtMs: MONTH_MS - HOUR_MS },
  };
  const price = {
    ...{ id: randomIds.uuid(), region: METERED_REGION, productId: product.id, effectiveFromMs: MONTH_MS },
    ...{ terms: PRICES[model].terms, createdBy: 'bench', createdAtMs: MONTH_MS - HOUR_MS },
  };
  await db.batch([db.insert(billingProducts).values(product), db.insert(billingPrices).values(price)]);
}

/** A table of whole numbers, [from, to). */
const numbers = (name: string, from: number, to: number, begin = 'WITH RECURSIVE ') =>
  sql.raw(`${begin}${name} (n) AS (SELECT ${from} UNION ALL SELECT n + 1 FROM ${name} WHERE n < ${to - 1})`);

const RESOURCE_ID = sql`printf('%08x-0000-4000-8000-%012x', resource.n * 2654435761 % 4294967296, resource.n)`;
const MACHINE = sql.raw(`'machine-' || resource.n / ${GUESTS_PER_MACHINE}`);
/** Up to a gigabyte an hour, another each. */
const VALUE = sql`(resource.n * 7919 + hour.n * 104729 + 1) * 48271 % 999999937`;
const projectOf = ({ accounts }: Month): SQL => sql.raw(`printf('%032x', resource.n % ${accounts})`);
