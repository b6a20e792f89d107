import { and, desc, eq, type SQL, sql } from 'drizzle-orm';
import { imageTasks } from '../../../db/schema/image.ts';
import { runBatch, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import { findImage } from '../find-image.ts';
import { UUID_PATTERN } from '../formats.ts';
import { limitOf } from '../list-images.ts';
import { authorizeImage } from '../policy.ts';

export type TaskRow = typeof imageTasks.$inferSelect;
export interface TaskPage {
  rows: TaskRow[];
  nextMarker: string | undefined;
}

const STATUSES = ['pending', 'processing', 'success', 'failure'];
const TYPES = ['import', 'api_image_import', 'location_import'];
/** What a key sorts by, in the table named. */
const SORT_EXPRESSIONS = {
  id: (table: string) => `${table}.id`,
  type: (table: string) => `${table}.type`,
  status: (table: string) => `${table}.status`,
  created_at: (table: string) => `${table}.created_at_ms`,
  updated_at: (table: string) => `${table}.updated_at_ms`,
  expires_at: (table: string) => `COALESCE(${table}.expires_at_ms, 0)`,
} as const;
type SortKey = keyof typeof SORT_EXPRESSIONS;

/**
 * The tasks of an image that the actor may see, the newest first. Of those that other projects asked for, admins alone see
 * any: a source's address can be a secret.
 * @throws ApiError 404
 */
export async function listTasksOfImage(ctx: ActorContext, imageId: string): Promise<TaskRow[]> {
  const image = await findImage(ctx, imageId);
  return ctx.db
    .select()
    .from(imageTasks)
    .where(
      and(
        eq(imageTasks.imageId, image.id),
        isAdmin(ctx) ? undefined : eq(imageTasks.projectId, ctx.actor.projectId ?? ''),
      ),
    )
    .orderBy(desc(imageTasks.createdAtMs), desc(imageTasks.id));
}

/** A task by its id. @throws ApiError 403 not an admin, 404 */
export async function findTask(ctx: ActorContext, taskId: string): Promise<TaskRow> {
  authorizeImage(ctx, 'tasks_api_access');
  const [row] = await ctx.db
    .select()
    .from(imageTasks)
    .where(sql`image_tasks.id = ${taskId.toLowerCase()} AND image_tasks.region = ${ctx.region}`);
  if (!row) throw notFound(`No task found with ID ${taskId}`);
  return row;
}

/** A page of the region's tasks. @throws ApiError 400 a parameter that cannot be, or a marker that is none; 403 */
export async function listTasks(ctx: ActorContext, query: URLSearchParams): Promise<TaskPage> {
  authorizeImage(ctx, 'tasks_api_access');
  const limit = limitOf(query.get('limit'));
  const { key, direction } = sortOf(query);
  const marker = query.get('marker');
  if (marker && !new RegExp(UUID_PATTERN).test(marker)) throw badRequest('Invalid marker format');
  const markerId = marker?.toLowerCase();
  const conditions = [
    sql`image_tasks.region = ${ctx.region}`,
    ...filtersOf(query),
    ...(markerId ? [afterMarker(key, direction, markerId)] : []),
  ];
  const page = ctx.db
    .select()
    .from(imageTasks)
    .where(sql.join(conditions, sql` AND `))
    .orderBy(sql.raw(`${SORT_EXPRESSIONS[key]('image_tasks')} ${direction}, image_tasks.id ${direction}`))
    .limit(limit);
  const found = markerId ? [ctx.db.select().from(imageTasks).where(eq(imageTasks.id, markerId))] : [];
  const [rows = [], markers] = (await runBatch(ctx.db, [page, ...found] as Statement[])) as TaskRow[][];
  if (markers?.length === 0) throw badRequest(`No task found with ID ${marker}`);
  return { rows, nextMarker: rows.length === limit ? rows.at(-1)?.id : undefined };
}

/** Holds for the tasks that follow the marker in that order. */
function afterMarker(key: SortKey, direction: string, markerId: string): SQL {
  const expression = SORT_EXPRESSIONS[key];
  return sql`(${sql.raw(expression('image_tasks'))}, image_tasks.id) ${sql.raw(direction === 'asc' ? '>' : '<')}
    (SELECT ${sql.raw(expression('marker'))}, marker.id FROM image_tasks AS marker WHERE marker.id = ${markerId})`;
}

function sortOf(query: URLSearchParams): { key: SortKey; direction: string } {
  const key = query.get('sort_key') ?? 'created_at';
  if (!Object.hasOwn(SORT_EXPRESSIONS, key)) throw badRequest(`Sort key supplied was not valid: ${key}`);
  const direction = query.get('sort_dir') ?? 'desc';
  if (direction !== 'asc' && direction !== 'desc') throw badRequest(`Invalid sort direction: ${direction}`);
  return { key: key as SortKey, direction };
}

function filtersOf(query: URLSearchParams): SQL[] {
  const [status, type] = [query.get('status'), query.get('type')];
  if (status && !STATUSES.includes(status)) throw badRequest(`Invalid status value: ${status}`);
  if (type && !TYPES.includes(type)) throw badRequest(`Invalid type value: ${type}`);
  return [...(status ? [sql`image_tasks.status = ${status}`] : []), ...(type ? [sql`image_tasks.type = ${type}`] : [])];
}
