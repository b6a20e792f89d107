import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { sql } from 'drizzle-orm';
import { Refusal } from '../../../shared/refusal.ts';
import { type Cloud, startCloud } from '../../cloud.ts';
import { figure, note } from '../figures.ts';
import { cpuSeconds, memoryMib } from '../processes.ts';
import type { RoundBody } from './farmer-entry.ts';
import {
  expectedDetails,
  fillMonth,
  HOUR_MS,
  METERED_REGION,
  MONTH_HOURS,
  MONTH_MS,
  type Month,
  PRICES,
} from './sealed-month.ts';

/** Past the grace of the month's invoices, and past its end by the time that machines have to seal it. */
const FINAL_MS = MONTH_MS + (MONTH_HOURS + 4 * 24) * HOUR_MS;
const SEALED_MS = MONTH_MS + (MONTH_HOURS + 1) * HOUR_MS;
const GUESTS_HOURS = 100;
const ACCOUNTS = 100;
const RATED_WITHIN_S = 1_200;
const SAMPLE_EVERY_MS = 500;
const SHARES = [0.1, 0.5, 1];

const MONTHS: Record<string, Month> = {
  '1000_guests': { resources: 1_000, hours: GUESTS_HOURS, accounts: ACCOUNTS, interval: 'hourly', model: 'graduated' },
  '10000_guests': {
    resources: 10_000,
    hours: GUESTS_HOURS,
    accounts: ACCOUNTS,
    interval: 'hourly',
    model: 'graduated',
  },
  month_daily: { resources: 1_400, hours: MONTH_HOURS, accounts: ACCOUNTS, interval: 'daily', model: 'graduated' },
  month_hourly: { resources: 1_400, hours: MONTH_HOURS, accounts: ACCOUNTS, interval: 'hourly', model: 'per_unit' },
};

const options = {
  windows: { type: 'string' },
  resources: { type: 'string', default: '1400' },
  accounts: { type: 'string', default: String(ACCOUNTS) },
  interval: { type: 'string', default: 'hourly' },
  model: { type: 'string', default: 'graduated' },
} as const;

/**
 * What rating sealed windows and making invoices of them costs: the farmer as it is, in the edge's own runtime, on the real
 * database. Filling it is not timed.
 * @param args - `--windows` and what else tells one month from another; without it, the months of the record
 * @throws Error when an invoice is not what its windows come to, or it takes too long
 */
export async function benchRating(args: string[] = []): Promise<void> {
  const { values } = parseArgs({ args, options });
  const months = values.windows === undefined ? MONTHS : { asked: monthOf(values) };
  for (const [name, month] of Object.entries(months)) {
    const cloud = await startCloud({ workerEntry: join(import.meta.dirname, 'farmer-entry.ts') });
    try {
      await measure(cloud, `rating_${name}`, month);
    } finally {
      await cloud.stop();
    }
  }
}

function monthOf(values: { [Name in keyof typeof options]?: string }): Month {
  const [resources, accounts] = [Number(values.resources), Number(values.accounts)];
  const hours = Math.ceil(Number(values.windows) / resources);
  const { interval, model } = values as Pick<Month, 'interval' | 'model'>;
  if (!(hours >= 1 && hours <= MONTH_HOURS && accounts >= 1))
    throw new Refusal(`A resource has 1 to ${MONTH_HOURS} windows.`);
  if (!(model in PRICES)) throw new Refusal(`--model is one of ${Object.keys(PRICES).join(', ')}.`);
  return { resources, hours, accounts, interval, model };
}

async function measure(cloud: Cloud, name: string, month: Month): Promise<void> {
  const began = performance.now();
  await fillMonth(cloud.edge.db, month);
  note(`${name} was filled in ${Math.round((performance.now() - began) / 1_000)} s`);
  const windows = month.resources * month.hours;
  const memory = watchMemory(cloud);
  const processes = [cloud.edge.database.pid(), cloud.edge.workerd.pid()].filter((pid) => pid !== undefined);
  const usedBefore = cpuSeconds(processes);
  const ratedS = await roundsUntil(cloud, SEALED_MS, ({ subscriptions }) => subscriptions === 0);
  const purchases = await count(cloud, sql`SELECT max(sequence) AS n FROM billing_purchases`);
  const finalS = await roundsUntil(cloud, FINAL_MS, () => allFinal(cloud));
  const usedS = cpuSeconds(processes) - usedBefore;
  await memory.stop();
  figure(`${name}_rated`, ratedS, 's');
  figure(`${name}_invoiced`, finalS, 's');
  figure(`${name}_windows`, windows / (ratedS + finalS), 'windows/s');
  figure(`${name}_windows_of_processor`, windows / usedS, 'windows/processor_s');
  figure(`${name}_lines`, month.resources / (ratedS + finalS), 'lines/s');
  figure(`${name}_purchases`, purchases / ratedS, 'purchases/s');
  for (const share of SHARES) {
    const { database, workerd } = memory.at(share * purchases);
    figure(`${name}_database_at_${share * 100}_percent`, database, 'MiB');
    figure(`${name}_workerd_at_${share * 100}_percent`, workerd, 'MiB');
  }
  await checkTotal(cloud, month);
}

/** Rounds one after the other. @returns how long they took, in seconds */
async function roundsUntil(
  cloud: Cloud,
  nowMs: number,
  done: (farmed: { subscriptions: number }) => boolean | Promise<boolean>,
): Promise<number> {
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1_000;
  const body: RoundBody = { region: METERED_REGION, nowMs };
  while (seconds() < RATED_WITHIN_S) {
    const answer = await fetch(`${cloud.url}/bench/round`, { method: 'POST', body: JSON.stringify(body) });
    if (!answer.ok) throw new Error(`a round failed: ${answer.status} ${await answer.text()}`);
    if (await done((await answer.json()) as { subscriptions: number })) return seconds();
  }
  throw new Error(`it was not done in ${RATED_WITHIN_S} s`);
}

async function count(cloud: Cloud, query: ReturnType<typeof sql>): Promise<number> {
  const [row] = await cloud.edge.db.all<{ n: number | null }>(query);
  return row?.n ?? 0;
}

const allFinal = async (cloud: Cloud) =>
  (await count(
    cloud,
    sql`SELECT count(*) AS n FROM billing_invoices WHERE region = ${METERED_REGION} AND status <> 'final'`,
  )) === 0;

/** Looks at what both processes hold while purchases are written. */
function watchMemory(cloud: Cloud) {
  const samples: { purchases: number; database: number; workerd: number }[] = [];
  const mib = (pid: number | undefined) => (pid === undefined ? Number.NaN : memoryMib([pid]));
  const look = async () => {
    const purchases = await count(cloud, sql`SELECT max(sequence) AS n FROM billing_purchases`);
    samples.push({ purchases, database: mib(cloud.edge.database.pid()), workerd: mib(cloud.edge.workerd.pid()) });
  };
  let under = Promise.resolve();
  const timer = setInterval(() => {
    under = under.then(look);
  }, SAMPLE_EVERY_MS);
  return {
    at: (purchases: number) =>
      samples.find((one) => one.purchases >= purchases) ?? { database: Number.NaN, workerd: Number.NaN },
    async stop() {
      clearInterval(timer);
      await under;
      await look();
    },
  };
}

/** @throws Error for an invoice that is not what its lines come to, each line in whole cents and each of its details in micros */
async function checkTotal(cloud: Cloud, month: Month): Promise<void> {
  const wanted = new Map<string, bigint>();
  for (const { projectId, cost } of await expectedDetails(cloud.edge.db, month))
    wanted.set(projectId, (wanted.get(projectId) ?? 0n) + nearest(cost, 10n ** 9n));
  const invoices = await cloud.edge.db.all<{ projectId: string; total: number }>(sql`
    SELECT link.project_id AS "projectId", invoice.total_micros AS total FROM billing_invoices invoice
    JOIN billing_account_projects link ON link.account_id = invoice.account_id WHERE invoice.region = ${METERED_REGION}`);
  if (invoices.length !== wanted.size) throw new Error(`${wanted.size} accounts have ${invoices.length} invoices`);
  for (const { projectId, total } of invoices) {
    const due = nearest(wanted.get(projectId) ?? 0n, MICROS_PER_CENT) * MICROS_PER_CENT;
    if (due !== BigInt(total)) throw new Error(`${projectId} owes ${due} and is asked for ${total}`);
  }
}

const MICROS_PER_CENT = 10_000n;
const nearest = (n: bigint, d: bigint): bigint => (2n * n + d) / (2n * d);
