import { join } from 'node:path';
import { sql } from 'drizzle-orm';
import { migrate as applyMigrations } from 'drizzle-orm/libsql/migrator';
import type { Clock } from '../shared/clock.ts';
import type { Ids } from '../shared/ids.ts';
import type { Database } from './client.ts';

export const MIGRATIONS_FOLDER = join(import.meta.dirname, 'migrations');

/** A migrator that died is taken to be gone after this. */
const LOCK_LIFE_MS = 120_000;
const LOCK_WAIT_MS = 180_000;
const LOCK_POLL_MS = 200;

/**
 * Brings the schema up to date. Only one migrator at a time works, whatever starts; each migration is one atomic batch.
 * @throws Error when another migrator holds the lock for too long
 */
export async function migrate(
  db: Database,
  options: { clock: Clock; ids: Ids; sleep: (ms: number) => Promise<void>; folder?: string },
): Promise<void> {
  const holder = options.ids.uuid();
  await takeLock(db, holder, options);
  try {
    await applyMigrations(db, { migrationsFolder: options.folder ?? MIGRATIONS_FOLDER });
  } finally {
    await db.run(sql`DELETE FROM migration_lock WHERE holder = ${holder}`);
  }
}

async function takeLock(
  db: Database,
  holder: string,
  { clock, sleep }: { clock: Clock; sleep: (ms: number) => Promise<void> },
) {
  await db.run(
    sql`CREATE TABLE IF NOT EXISTS migration_lock (id INTEGER PRIMARY KEY CHECK (id = 1), holder TEXT NOT NULL, expires_at_ms INTEGER NOT NULL)`,
  );
  const giveUpAtMs = clock.nowMs() + LOCK_WAIT_MS;
  for (;;) {
    const now = clock.nowMs();
    const taken = await db.run(sql`
      INSERT INTO migration_lock (id, holder, expires_at_ms) VALUES (1, ${holder}, ${now + LOCK_LIFE_MS})
      ON CONFLICT (id) DO UPDATE SET holder = excluded.holder, expires_at_ms = excluded.expires_at_ms WHERE expires_at_ms < ${now}`);
    if (taken.rowsAffected === 1) return;
    if (now > giveUpAtMs)
      throw new Error(
        'Another process has been migrating the database for too long. If none is, delete the row of table migration_lock.',
      );
    await sleep(LOCK_POLL_MS);
  }
}
