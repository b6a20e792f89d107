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
import { afterMarker, orderOf, sortTerms } from './list-sorting.ts';
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
  const conditions = [
    listable(ctx, memberStatusOf(query.get('member_status'))),
    ...listConditions(ctx, query),
    ...(marker === undefined ? [] : [afterMarker(terms, marker)]),
  ];
  const page = ctx.db
    .select()
    .from(images)
    .where(sql.join(conditions, sql` AND `))
    .orderBy(orderOf(terms))
    .limit(limit);
  const statements: Statement[] = marker === undefined ? [page] : [page, imageRead(ctx, marker)];
  const [rows = [], markers] = (await runBatch(ctx.db, statements)) as ImageRow[][];
  if (markers?.length === 0) throw badRequest(`No image found with ID ${query.get('marker')}`);
  return { rows, nextMarker: rows.length === limit ? rows.at(-1)?.id : undefined };
}

function listable(ctx: ActorContext, memberStatus: string): SQL {
  const there = sql`images.region = ${ctx.region} AND images.status <> 'deleted'`;
  if (isAdmin(ctx)) return there;
  const { projectId } = ctx.actor;
  const ofStatus = memberStatus === 'all' ? sql`1` : sql`image_members.status = ${memberStatus}`;
  return sql`${there} AND (images.visibility IN ('public', 'community') OR images.project_id = ${projectId}
    OR (images.visibility = 'shared' AND EXISTS (SELECT 1 FROM image_members
      WHERE image_members.image_id = images.id AND image_members.member_id = ${projectId} AND ${ofStatus})))`;
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
