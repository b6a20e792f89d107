import { createClient } from '@libsql/client/web';
import type { LibSQLDatabase } from 'drizzle-orm/libsql';
import { drizzle } from 'drizzle-orm/libsql/web';

/** The database as verbs see it. Tables are imported from `db/schema/<service>.ts`. */
export type Database = LibSQLDatabase;

/**
 * Opens the libSQL database behind a URL: the process at home, or Turso.
 * @param options.fetch - how to reach it; at home a service binding, elsewhere the platform's fetch
 */
export function openDatabase(options: { url: string; token: string; fetch?: typeof fetch }): Database {
  const { url, token, fetch } = options;
  const client = createClient({
    url,
    authToken: token,
    ...(fetch ? { fetch } : {}),
    intMode: 'number',
    // No queue of its own: a request that waits for another request's promise counts as hung in workerd, and fails.
    concurrency: Number.POSITIVE_INFINITY,
  });
  return drizzle({ client, casing: 'snake_case' });
}
