import { eq, sql } from 'drizzle-orm';
import { drizzle } from 'drizzle-orm/libsql/web';
import { integer, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import { expect, test } from 'vitest';
import { openDatabase } from './test-support.ts';

const things = sqliteTable('things', {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
  tags: text({ mode: 'json' }).$type<string[]>(),
  made: integer({ mode: 'timestamp_ms' }),
});

test('drizzle selects, inserts, batches and rolls back', async () => {
  const client = await openDatabase();
  const db = drizzle({ client });
  await db.run(sql`CREATE TABLE things (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, tags TEXT, made INTEGER)`);
  const made = new Date(1_700_000_000_000);
  const [first] = await db
    .insert(things)
    .values({ name: 'one', tags: ['a', 'b'], made })
    .returning();
  expect(first).toStrictEqual({ id: 1, name: 'one', tags: ['a', 'b'], made });
  const [inserted, found] = await db.batch([
    db.insert(things).values({ name: 'two' }),
    db.select().from(things).where(eq(things.name, 'two')),
  ]);
  expect([inserted.rowsAffected, found[0]?.id]).toStrictEqual([1, 2]);
  await expect(
    db.transaction(async (tx) => {
      await tx.update(things).set({ name: 'three' }).where(eq(things.id, 1));
      expect(await tx.$count(things, eq(things.name, 'three'))).toBe(1);
      await tx.insert(things).values({ name: 'two' });
    }),
  ).rejects.toMatchObject({ cause: { code: 'SQLITE_CONSTRAINT' } });
  await db.transaction(async (tx) => {
    await tx.delete(things).where(eq(things.id, 2));
  });
  expect(await db.select({ name: things.name }).from(things)).toStrictEqual([{ name: 'one' }]);
});
