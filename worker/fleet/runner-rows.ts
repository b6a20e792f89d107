import { getTableColumns, sql } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { Context } from '../http/context.ts';

/** Runners, and how much of what each should hold it has not reported in force, or gone; the caller adds conditions. */
export const selectRunners = (ctx: Context) =>
  ctx.db
    .select({
      ...getTableColumns(runners),
      pending: sql<number>`(SELECT count(*) FROM desired d
        WHERE d.runner_id = runners.id AND (d.deleted = 1 OR d.applied_generation IS NOT d.generation))`,
    })
    .from(runners);
export type RunnerRow = Awaited<ReturnType<typeof selectRunners>>[number];
