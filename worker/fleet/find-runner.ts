import { and, eq, ne, sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { Context } from '../http/context.ts';
import { notFound } from '../http/errors.ts';
import { type RunnerRow, selectRunners } from './runner-rows.ts';

/** A runner of the region by id or name, removed ones left out. @throws ApiError 404 */
export async function findRunner(ctx: Context, idOrName: string): Promise<RunnerRow> {
  const named = sql`(${runners.id} = ${idOrName} OR ${runners.name} = ${idOrName})`;
  const [row] = await selectRunners(ctx)
    .where(and(named, eq(runners.region, ctx.region), ne(runners.state, 'removed')))
    .limit(1);
  if (!row) throw notFound(`Runner ${idOrName} could not be found.`);
  return row;
}
