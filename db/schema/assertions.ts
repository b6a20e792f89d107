import { sql } from 'drizzle-orm';
import { check, sqliteTable, text } from 'drizzle-orm/sqlite-core';

/**
 * Takes no row, ever: inserting one fails and so rolls back its batch. `INSERT INTO assertions SELECT name WHERE NOT (...)`
 * is how a batch says what must still be true when it commits.
 */
export const assertions = sqliteTable('assertions', { name: text().notNull() }, () => [check('assertion', sql`0`)]);
