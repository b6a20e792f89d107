import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Database, openDatabase } from '../db/client.ts';
import { MIGRATIONS_FOLDER, migrate } from '../db/migrate.ts';
import { startDatabaseServer } from '../db/server/start-server.ts';
import { pause } from '../runner/host/wait.ts';
import { systemClock } from '../shared/clock.ts';
import { randomIds } from '../shared/ids.ts';

let folder: string;
let server: Awaited<ReturnType<typeof startDatabaseServer>>;
let db: Database;

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'aerostat-migrate-'));
  server = await startDatabaseServer({ file: join(folder, 'db'), listen: '127.0.0.1:0', token: 't' });
  db = openDatabase({ url: server.url, token: 't' });
});
afterEach(async () => {
  await server.close();
  rmSync(folder, { recursive: true, force: true });
});

const options = (migrations?: string) => ({
  clock: systemClock,
  ids: randomIds,
  sleep: pause,
  ...(migrations ? { folder: migrations } : {}),
});

interface Journal {
  entries: { idx: number; tag: string }[];
}

/** The migrations up to a number, as an older release had them. */
function olderRelease(count: number): string {
  const older = join(folder, `migrations-${count}`);
  cpSync(MIGRATIONS_FOLDER, older, { recursive: true });
  const file = join(older, 'meta/_journal.json');
  const journal = JSON.parse(readFileSync(file, 'utf8')) as Journal;
  writeFileSync(file, JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }));
  return older;
}

const tables = async () =>
  (await db.all<{ name: string }>(sql`SELECT name FROM sqlite_schema WHERE type = 'table'`)).map((row) => row.name);

it('makes the schema once, however often and however many at a time ask', async () => {
  await Promise.all(Array.from({ length: 5 }, () => migrate(db, options())));
  await migrate(db, options());
  expect(await tables()).toEqual(expect.arrayContaining(['servers', 'runners', 'desired', 'audit']));
  const [applied] = await db.all<{ n: number }>(sql`SELECT count(*) AS n FROM __drizzle_migrations`);
  expect(applied?.n).toBe(
    (JSON.parse(readFileSync(join(MIGRATIONS_FOLDER, 'meta/_journal.json'), 'utf8')) as Journal).entries.length,
  );
});

/** Tables that are not ours to fill: one that takes no row, and the migrator's own. */
const NOT_FILLED = ['assertions', 'migration_lock', '__drizzle_migrations'];
/** Alike in every column of text, so that references hold whatever they are to; it is JSON, too. */
const TEXT = "'{}'";

/** How many rows each table has. */
async function rowCounts(): Promise<Map<string, number>> {
  const counts = new Map<string, number>();
  for (const table of await tables()) {
    if (NOT_FILLED.includes(table) || table.startsWith('sqlite_')) continue;
    const [row] = await db.all<{ n: number }>(sql.raw(`SELECT count(*) AS n FROM "${table}"`));
    counts.set(table, row?.n ?? 0);
  }
  return counts;
}

/** Puts a row into every table that has none. */
async function fill(): Promise<void> {
  const inserts: string[] = [];
  for (const [table, count] of await rowCounts()) {
    if (count > 0) continue;
    const columns = await db.all<{ name: string; type: string }>(
      sql`SELECT name, type FROM pragma_table_info(${table})`,
    );
    const names = columns.map(({ name }) => `"${name}"`);
    const values = columns.map(({ type }) => (/int|real|numeric/i.test(type) ? '1' : TEXT));
    inserts.push(`INSERT INTO "${table}" (${names}) VALUES (${values})`);
  }
  // References go in circles and against the alphabet: they must hold at the end.
  const [first, ...rest] = ['PRAGMA defer_foreign_keys = ON', ...inserts].map((text) => db.run(sql.raw(text)));
  if (first) await db.batch([first, ...rest]);
}

it('brings a database of every older release, with rows in every table, up to date and keeps the rows', async () => {
  const file = join(MIGRATIONS_FOLDER, 'meta/_journal.json');
  const releases = (JSON.parse(readFileSync(file, 'utf8')) as Journal).entries.length;
  for (let release = 1; release <= releases; release += 1) {
    const before = await rowCounts();
    await migrate(db, options(olderRelease(release)));
    const after = await rowCounts();
    for (const [table, count] of before)
      expect(after.get(table), `${table} in ${release}`).toBeGreaterThanOrEqual(count);
    await fill();
  }
  expect([...(await rowCounts()).values()].every((count) => count > 0)).toBe(true);
  expect(await db.all(sql`SELECT id, generation FROM runners`)).toEqual([{ id: '{}', generation: 1 }]);
  expect(await db.all(sql`PRAGMA foreign_key_check`)).toEqual([]);
  await migrate(db, options());
});

/** The last release that counted money in minor units. */
const IN_MINOR_UNITS = 17;

it('keeps what money was worth where it was counted in minor units', async () => {
  await migrate(db, options(olderRelease(IN_MINOR_UNITS)));
  const accounts = [
    ['euros', 'EUR'],
    ['yen', 'JPY'],
    ['dinars', 'KWD'],
  ] as const;
  await db.batch([
    db.run(sql`PRAGMA defer_foreign_keys = ON`),
    ...accounts.flatMap(([id, currency]) => [
      db.run(sql`INSERT INTO billing_accounts (id, region, name, mode, currency, credit_limit_minor, state, state_since_ms, created_at_ms)
        VALUES (${id}, 'r', ${id}, 'postpaid', ${currency}, 5, 'ok', 0, 0)`),
      db.run(sql`INSERT INTO billing_transfers (region, reference, leg, kind, from_account, to_account, currency, amount_minor, at_ms)
        VALUES ('r', ${id}, 'money', 'deposit', ${`cash:${id}`}, ${`customer:${id}`}, ${currency}, 1234, 0)`),
      db.run(sql`INSERT INTO billing_invoices (id, region, account_id, month_ms, currency, status, created_at_ms)
        VALUES (${id}, 'r', ${id}, 0, ${currency}, 'draft', 0)`),
      db.run(sql`INSERT INTO billing_invoice_lines (invoice_id, position, subscription_id, price_id, project_id, period_ms, from_ms, through_ms, product, item,
          item_type, resource_id, resource_name, order_unit, order_size, quantity_total, quantity_before, amount_minor)
        VALUES (${id}, 1, 's', 'p', 'project', 0, 0, 1, 'm1', 'server', 'm1', 'vm', 'web', 'hours', 1, '5/2', '3/4', 1234)`),
      db.run(
        sql`UPDATE billing_invoices SET status = 'final', number = 1, total_minor = 1234, finalized_at_ms = 0 WHERE id = ${id}`,
      ),
    ]),
  ]);
  await migrate(db, options());
  const worth = await db.all(sql`
    SELECT account.id, account.credit_limit_micros, invoice.total_micros, line.amount_micros AS line, line.quantity, line.details,
      detail.amount_micros AS detail, detail.resource_name, transfer.amount_micros AS moved,
      (SELECT balance_micros FROM billing_balances WHERE ledger_account = 'customer:' || account.id) AS balance
    FROM billing_accounts account JOIN billing_invoices invoice ON invoice.account_id = account.id
    JOIN billing_invoice_lines line ON line.invoice_id = invoice.id JOIN billing_invoice_details detail ON detail.invoice_id = invoice.id
    JOIN billing_transfers transfer ON transfer.reference = account.id ORDER BY account.id`);
  const of = (id: string, minor: number) => ({
    id,
    credit_limit_micros: 5 * minor,
    total_micros: 1234 * minor,
    line: 1234 * minor,
    quantity: '1750000000/1000000000',
    details: 1,
    detail: 1234 * minor,
    resource_name: 'web',
    moved: 1234 * minor,
    balance: 1234 * minor,
  });
  expect(worth).toEqual([of('dinars', 1_000), of('euros', 10_000), of('yen', 1_000_000)]);
  await expect(db.run(sql`UPDATE billing_invoices SET total_micros = 0`)).rejects.toThrow();
  await expect(db.run(sql`UPDATE billing_invoice_lines SET amount_micros = 0`)).rejects.toThrow();
  await expect(db.run(sql`UPDATE billing_transfers SET amount_micros = 1`)).rejects.toThrow();
});

it('takes over from a migrator that died, and not from one that lives', async () => {
  await db.run(
    sql`CREATE TABLE migration_lock (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, expires_at_ms INTEGER NOT NULL)`,
  );
  await db.run(sql`INSERT INTO migration_lock VALUES (1, 'another', 1000)`);
  let nowMs = 500;
  const waits: number[] = [];
  const clock = { nowMs: () => nowMs };
  await migrate(db, {
    clock,
    ids: randomIds,
    sleep: async (ms) => {
      waits.push(nowMs);
      expect(await tables()).not.toContain('servers');
      nowMs += ms;
    },
  });
  expect(waits.length).toBeGreaterThan(0);
  expect(nowMs).toBeGreaterThan(1000);
  expect(await tables()).toContain('servers');
});
