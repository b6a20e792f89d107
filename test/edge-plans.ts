import { env } from 'cloudflare:test';
import { sql } from 'drizzle-orm';
import { type Database, openDatabase } from '../db/client.ts';
import type { Env } from '../worker/env.ts';

/** A statement, and how the database reads for it: a line a step. */
export interface Plan {
  text: string;
  plan: string;
}

/** A database that remembers what it is asked; `plans` tells how it reads for what it was asked since the last time. */
export function plannedDatabase(): { db: Database; plans(): Promise<Plan[]> } {
  const { DATABASE_URL: url, DATABASE_TOKEN: token, DATABASE } = env as unknown as Env;
  const asked: string[] = [];
  const listening = async (request: Request) => {
    JSON.parse(await request.clone().text(), (key, value) => {
      if (key === 'sql' && typeof value === 'string') asked.push(value);
    });
    return DATABASE ? DATABASE.fetch(request) : fetch(request);
  };
  const db = openDatabase({ url, token, fetch: listening as typeof fetch });
  const planOf = async (text: string) => {
    const parts = text.split('?').map((part) => sql.raw(part));
    // Bound, as they were: a literal could be planned otherwise.
    const steps = await db.all<{ detail: string }>(sql`EXPLAIN QUERY PLAN ${sql.join(parts, sql`${0}`)}`);
    return { text, plan: steps.map(({ detail }) => detail).join('\n') };
  };
  const plans = async () => {
    const told = asked.splice(0).filter((text) => /^\s*(SELECT|INSERT|UPDATE|DELETE|WITH)\b/i.test(text));
    const all: Plan[] = [];
    for (const text of told) all.push(await planOf(text));
    asked.length = 0;
    return all;
  };
  return { db, plans };
}
