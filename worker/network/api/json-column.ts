import { type SQL, sql } from 'drizzle-orm';

/** A column of a select whose value is JSON made by the query. @param query - SQL that gives one JSON text */
export const jsonColumn = <T>(query: SQL) => sql`${query}`.mapWith((text: string) => JSON.parse(text) as T);
