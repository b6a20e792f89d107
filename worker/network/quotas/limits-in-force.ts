import { type SQL, sql } from 'drizzle-orm';
import type { Context } from '../../http/context.ts';
import { DEFAULT_LIMITS, LIMITED, type Limited, type Limits, TABLES } from './resources.ts';

/** How many of a resource a project has, as an expression. */
export function usedNow(ctx: Context, resource: Limited, projectId: string): SQL {
  const table = TABLES[resource];
  if (table === null) return sql`0`;
  return sql`(SELECT count(*) FROM ${sql.identifier(table)} WHERE region = ${ctx.region} AND project_id = ${projectId})`;
}

/** The limit that holds now, as an expression for a batch's conditions. */
export const limitNow = (ctx: Context, resource: Limited, projectId: string): SQL =>
  sql`coalesce((SELECT limits ->> ${resource} FROM network_quotas WHERE region = ${ctx.region} AND project_id = ${projectId}),
    ${DEFAULT_LIMITS[resource]})`;

/** A project's limits, and what is used of them; for a batch. `usageOf` reads it. */
export function usageRead(ctx: Context, projectId: string) {
  const columns = LIMITED.map(
    (resource) =>
      sql`${sql.raw(`'${resource}'`)}, json_object('limit', ${limitNow(ctx, resource, projectId)}, 'used', ${usedNow(ctx, resource, projectId)})`,
  );
  return ctx.db.all<{ usage: string }>(sql`SELECT json_object(${sql.join(columns, sql`, `)}) AS usage`);
}

export type Usage = Record<Limited, { limit: number; used: number }>;

/** What `usageRead` read. */
export const usageOf = (rows: { usage: string }[]): Usage => JSON.parse(rows[0]?.usage ?? '{}') as Usage;

/** The limits alone. */
export const limitsOf = (usage: Usage): Limits =>
  Object.fromEntries(LIMITED.map((resource) => [resource, usage[resource].limit])) as Limits;
