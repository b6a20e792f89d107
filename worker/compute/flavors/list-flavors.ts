import { and, eq, gte, type SQL, sql } from 'drizzle-orm';
import { flavors } from '../../../db/schema/compute.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { isAdmin } from '../../http/policy.ts';
import type { Microversion } from '../http/microversion.ts';
import { last, markerNotFound, type Page, pageOf, type Query, refuseUnknown } from '../http/paging.ts';
import { visibleFlavors } from './find-flavor.ts';
import type { FlavorRow } from './views.ts';

export const KNOWN = ['limit', 'marker', 'is_public', 'minRam', 'minDisk', 'sort_key', 'sort_dir'];
/** What a list may be sorted by; columns that are the same for all leave it as it is. */
export const SORT_KEYS: Readonly<Record<string, string>> = {
  created_at: 'created_at_ms',
  updated_at: 'created_at_ms',
  description: `coalesce(description, '')`,
  disabled: `''`,
  vcpu_weight: `''`,
  ephemeral_gb: 'ephemeral_gib',
  flavorid: 'id',
  id: 'created_at_ms',
  is_public: 'is_public',
  memory_mb: 'ram_mib',
  name: 'name',
  root_gb: 'disk_gib',
  rxtx_factor: 'rxtx_factor',
  swap: 'swap_mib',
  vcpus: 'vcpus',
};

/**
 * A page of flavors, in one batch.
 * @throws ApiError 400 a filter, key, limit or marker that is none
 */
export async function listFlavors(
  ctx: ActorContext,
  input: { query: Query; version: Microversion },
): Promise<{ rows: FlavorRow[]; page: Page }> {
  const { query, version } = input;
  refuseUnknown(query, KNOWN, version);
  const page = pageOf(query);
  if (page.limit === 0) return { rows: [], page };
  const expression = sortExpression(last(query, 'sort_key') || 'flavorid');
  const direction = directionOf(last(query, 'sort_dir') || 'asc');
  const visible = and(visibleFlavors(ctx), publicity(ctx, last(query, 'is_public')), ...minimums(query));
  const ofMarker = sql`(SELECT ${sql.raw(expression)} FROM flavors WHERE id = ${page.marker ?? ''} AND region = ${ctx.region})`;
  const beyond = sql.raw(direction === 'asc' ? '>' : '<');
  const after =
    page.marker === undefined ? undefined : sql`(${sql.raw(expression)}, id) ${beyond} (${ofMarker}, ${page.marker})`;
  const rows = ctx.db
    .select()
    .from(flavors)
    .where(and(visible, after))
    .orderBy(sql.raw(`${expression} ${direction}, id ${direction}`))
    .limit(page.limit);
  if (page.marker === undefined) return { rows: await rows, page };
  const known = ctx.db
    .select({ id: flavors.id })
    .from(flavors)
    .where(and(visibleFlavors(ctx), eq(flavors.id, page.marker)));
  const [found, listed] = await ctx.db.batch([known, rows]);
  if (found.length === 0) throw markerNotFound(page.marker);
  return { rows: listed, page };
}

/** Admins choose: public ones (the default), private ones, or with `none` both. */
function publicity(ctx: ActorContext, word: string | undefined): SQL | undefined {
  if (!isAdmin(ctx)) return undefined;
  if (word === undefined) return eq(flavors.isPublic, true);
  if (word.toLowerCase() === 'none') return undefined;
  if (/^(1|t|true|on|y|yes)$/i.test(word)) return eq(flavors.isPublic, true);
  if (/^(0|f|false|off|n|no)$/i.test(word)) return eq(flavors.isPublic, false);
  throw badRequest(`Invalid is_public filter [${word}]`);
}

function minimums(query: Query): SQL[] {
  const atLeast = (name: 'minRam' | 'minDisk', column: typeof flavors.ramMib | typeof flavors.diskGib) => {
    const text = last(query, name);
    if (text === undefined) return [];
    if (!/^\s*[+-]?\d{1,15}\s*$/.test(text)) throw badRequest(`Invalid ${name} filter [${text}]`);
    return [gte(column, Number(text))];
  };
  return [...atLeast('minRam', flavors.ramMib), ...atLeast('minDisk', flavors.diskGib)];
}

function sortExpression(key: string): string {
  const expression = Object.hasOwn(SORT_KEYS, key) ? SORT_KEYS[key] : undefined;
  if (expression === undefined) {
    throw badRequest(
      `Invalid input for query parameters sort_key. Value: ${key}. '${key}' is not one of the sort keys`,
    );
  }
  return expression;
}

function directionOf(text: string): 'asc' | 'desc' {
  if (text === 'asc' || text === 'desc') return text;
  throw badRequest(
    `Invalid input for query parameters sort_dir. Value: ${text}. '${text}' is not one of ['asc', 'desc']`,
  );
}
