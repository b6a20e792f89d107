import { type SQL, sql } from 'drizzle-orm';
import type { QuotaLimits } from '../../../db/schema/quotas.ts';
import type { Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { DEFAULT_LIMITS, type Resource } from './resources.ts';

/** Whose limits: a project's, or those of one user in it. */
export interface QuotaScope {
  projectId: string;
  userId?: string | undefined;
}

const ofClass = (ctx: Context, name: string, value: SQL) =>
  sql`(SELECT ${value} FROM quota_classes WHERE region = ${ctx.region} AND name = ${name})`;
const ofProject = (ctx: Context, { projectId }: QuotaScope, userId: string, value: SQL) =>
  sql`(SELECT ${value} FROM quotas WHERE region = ${ctx.region} AND project_id = ${projectId} AND user_id = ${userId})`;

/** The limit that holds now, as an expression for a batch's conditions: the user's, the project's, the default. */
export function limitNow(ctx: Context, scope: QuotaScope, resource: Resource): SQL {
  const value = sql`limits ->> ${resource}`;
  const ofUser = scope.userId === undefined ? sql`` : sql`${ofProject(ctx, scope, scope.userId, value)}, `;
  return sql`coalesce(${ofUser}${ofProject(ctx, scope, '', value)}, ${ofClass(ctx, 'default', value)}, ${DEFAULT_LIMITS[resource]})`;
}

/** The condition that so many of a resource are within its limit. */
export const within = (ctx: Context, scope: QuotaScope, resource: Resource, count: SQL | number): SQL =>
  sql`(${limitNow(ctx, scope, resource)} < 0 OR ${count} <= ${limitNow(ctx, scope, resource)})`;

/** The read of all limits of a scope, for a batch; `limitsOf` reads it. */
export const limitsRead = (ctx: Context, { projectId, userId = '' }: Partial<QuotaScope>, className = 'default') =>
  ctx.db.all<{ class: string | null; project: string | null; user: string | null }>(sql`
    SELECT ${ofClass(ctx, className, sql`limits`)} AS class,
      ${ofProject(ctx, { projectId: projectId ?? '' }, '', sql`limits`)} AS project,
      ${userId === '' ? sql`NULL` : ofProject(ctx, { projectId: projectId ?? '' }, userId, sql`limits`)} AS user`) as Statement;

/** The limits that hold, by what `limitsRead` read; `ofProject` leaves a user's own out. */
export function limitsOf(result: unknown, of: 'class' | 'project' | 'user' = 'user'): Record<Resource, number> {
  const [row] = result as Record<'class' | 'project' | 'user', string | null>[];
  const layers = (['class', 'project', 'user'] as const).slice(0, { class: 1, project: 2, user: 3 }[of]);
  const set = layers.map((layer) => JSON.parse(row?.[layer] ?? '{}') as QuotaLimits);
  return Object.assign({}, DEFAULT_LIMITS, ...set) as Record<Resource, number>;
}
