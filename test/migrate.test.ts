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

it('brings an older database with rows in it up to date and keeps the rows', async () => {
  await migrate(db, options(olderRelease(1)));
  expect(await db.all(sql`SELECT name FROM sqlite_schema WHERE name = 'audit_request'`)).toHaveLength(0);
  await db.run(sql`INSERT INTO domains (id, name) VALUES ('d1', 'Old')`);
  await db.run(sql`INSERT INTO projects (id, domain_id, name) VALUES ('p1', 'd1', 'kept')`);
  await db.run(sql`INSERT INTO runners (id, region, name, zone, public_key, machine_id, state, created_at_ms, updated_at_ms)
    VALUES ('r1', 'RegionOne', 'old-host', 'nova', 'k', 'm', 'enabled', 1, 1)`);
  await migrate(db, options());
  expect(await db.all(sql`SELECT name, domain_id FROM projects`)).toMatchObject([{ name: 'kept', domain_id: 'd1' }]);
  expect(await db.all(sql`SELECT name, generation FROM runners`)).toMatchObject([{ name: 'old-host', generation: 0 }]);
  expect(await db.all(sql`PRAGMA foreign_key_check`)).toEqual([]);
  expect(await db.all(sql`SELECT name FROM sqlite_schema WHERE name = 'audit_request'`)).toHaveLength(1);
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
