import { type SQL, sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { runBatch, type Statement } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest } from '../http/errors.ts';
import { isAdmin } from '../http/policy.ts';
import { imageRead } from './find-image.ts';
import { MEMBER_STATUSES } from './formats.ts';
import { PAGE_DEFAULT, PAGE_MAX } from './limits.ts';
import { listConditions } from './list-filters.ts';
import { afterMarker, orderOf, type SortTerm, sortTerms } from './list-sorting.ts';
import { authorizeImage } from './policy.ts';
import type { ImageRow } from './views.ts';

export interface ImagePage {
  rows: ImageRow[];
  /** The last image of a full page: there may be more. */
  nextMarker: string | undefined;
}

/**
 * A page of the images that the actor may list: its own, public ones, and those shared with it of the membership asked
 * for; community ones when asked for. An admin lists all.
 * @throws ApiError 400 a parameter that cannot be, or a marker that the actor does not see; 403
 */
export async function listImages(ctx: ActorContext, query: URLSearchParams): Promise<ImagePage> {
  authorizeImage(ctx, 'get_images');
  const limit = limitOf(query.get('limit'));
  const terms = sortTerms(query);
  const marker = query.get('marker')?.toLowerCase();
  const page = ctx.db
    .select()
    .from(images)
    .where(pageCondition(ctx, query, { terms, limit, marker }))
    .orderBy(orderOf(terms))
    .limit(limit);
  const statements: Statement[] = marker === undefined ? [page] : [page, imageRead(ctx, marker)];
  const [rows = [], markers] = (await runBatch(ctx.db, statements)) as ImageRow[][];
  if (markers?.length === 0) throw badRequest(`No image found with ID ${query.get('marker')}`);
  return { rows, nextMarker: rows.length === limit ? rows.at(-1)?.id : undefined };
}

interface PageOf {
  terms: SortTerm[];
  limit: number;
  marker: string | undefined;
}

/**
 * Holds for the images of the page, and perhaps for more that follow it. Each kind of images that a project sees is read
 * by an index of its own, no further than the page needs.
 */
export function pageCondition(ctx: ActorContext, query: URLSearchParams, { terms, limit, marker }: PageOf): SQL {
  const memberStatus = memberStatusOf(query.get('member_status'));
  const filters = sql.join(
    [
      sql`images.region = ${ctx.region} AND images.status <> 'deleted'`,
      ...listConditions(ctx, query),
      ...(marker === undefined ? [] : [afterMarker(terms, marker)]),
    ],
    sql` AND `,
  );
  if (isAdmin(ctx)) return filters;
  const arms = listable(ctx, memberStatus).map(
    (arm) =>
      sql`SELECT id FROM (SELECT images.id AS id FROM ${arm} AND ${filters} ORDER BY ${orderOf(terms)} LIMIT ${limit})`,
  );
  return sql`images.id IN (${sql.join(arms, sql` UNION `)})`;
}

/** What a project sees, each as a table and its condition. Members are read first (CROSS JOIN): they are few. */
function listable(ctx: ActorContext, memberStatus: string): SQL[] {
  const { projectId } = ctx.actor;
  const ofStatus = memberStatus === 'all' ? sql`1` : sql`image_members.status = ${memberStatus}`;
  return [
    sql`images WHERE images.project_id = ${projectId}`,
    sql`images WHERE images.visibility = 'public'`,
    sql`images WHERE images.visibility = 'community'`,
    sql`image_members CROSS JOIN images ON images.id = image_members.image_id
      WHERE image_members.member_id = ${projectId} AND ${ofStatus} AND images.visibility = 'shared'`,
  ];
}

/** Rows of a page. @throws ApiError 400 */
export function limitOf(text: string | null): number {
  if (text === null) return PAGE_DEFAULT;
  if (!/^\s*[+-]?\d+\s*$/.test(text)) throw badRequest('limit param must be an integer');
  const limit = Number(text);
  if (limit < 0) throw badRequest('limit param must be positive');
  return Math.min(limit, PAGE_MAX);
}

function memberStatusOf(text: string | null): string {
  const status = text ?? 'accepted';
  if (status !== 'all' && !(MEMBER_STATUSES as readonly string[]).includes(status)) {
    throw badRequest(`Invalid status: ${status}`);
  }
  return status;
}
