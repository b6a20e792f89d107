import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { resourceNotFound, typeNotFound } from './faults.ts';
import type { Filter } from './filters.ts';
import { findHistory, findResources, type MeteredResource } from './find-resources.ts';
import { policy } from './policy.ts';
import { kindOf } from './types.ts';
import { resourceView } from './views.ts';

/** Resources of one page, and of those that one search looks through. */
export const PAGE_MAX = 1_000;
const SEARCHED_MAX = 10_000;

export interface Page {
  limit: number;
  marker: string | undefined;
}

/** @throws ApiError 404 */
export function kindOfType(type: string): string | null {
  const kind = kindOf(type);
  if (kind === undefined) throw typeNotFound(type);
  return kind;
}

/** The resources of a type that the actor sees, a page of them in the order of their ids. @throws ApiError 404 */
export async function listResources(ctx: ActorContext, type: string, page: Page): Promise<MeteredResource[]> {
  authorize(ctx, policy, 'metric:resources:list');
  const after = page.marker === undefined ? {} : { after: page.marker };
  return findResources(ctx, { kind: kindOfType(type), limit: page.limit, ...after });
}

/** Those that a condition holds for. @throws ApiError 400 there are too many to look through, 404 no such type */
export async function searchResources(ctx: ActorContext, type: string, filter: Filter): Promise<MeteredResource[]> {
  authorize(ctx, policy, 'metric:resources:list');
  const all = await findResources(ctx, { kind: kindOfType(type), limit: SEARCHED_MAX + 1 });
  if (all.length > SEARCHED_MAX) throw badRequest(`There are more than ${SEARCHED_MAX} resources: search one type.`);
  return all.filter((one) => filter(resourceView(one, type)));
}

/** @throws ApiError 404 */
export async function showResource(ctx: ActorContext, type: string, id: string): Promise<MeteredResource> {
  authorize(ctx, policy, 'metric:resources:show');
  const [resource] = await findResources(ctx, { kind: kindOfType(type), ids: [id], limit: 1 });
  if (!resource) throw resourceNotFound(id.slice(0, 64));
  return resource;
}

/** What a resource was, the oldest first. @throws ApiError 404 */
export async function resourceHistory(ctx: ActorContext, type: string, id: string): Promise<MeteredResource[]> {
  return findHistory(ctx, await showResource(ctx, type, id));
}

/** A page's size. @throws ApiError 400 */
export function pageOf(query: { limit?: string; marker?: string }): Page {
  const limit = query.limit === undefined ? PAGE_MAX : Number(query.limit);
  if (!Number.isInteger(limit) || limit < 1) throw badRequest('Invalid input: limit is a number above zero.');
  return { limit: Math.min(limit, PAGE_MAX), marker: query.marker };
}
