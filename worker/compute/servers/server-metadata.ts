import { type SQL, sql } from 'drizzle-orm';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { type ComputeAction, policy } from '../policy.ts';
import { assertRequestLimits, requestLimitRefusals } from '../quotas/request-limits.ts';
import { hostOf, patchDesiredServer } from './desired-server.ts';
import { ownServer, serverNotFound } from './find-server.ts';
import { commitTransition } from './transition.ts';

type Metadata = Record<string, string>;

const itemNotFound = () => notFound('Metadata item was not found');

/** All of a server's metadata. @throws ApiError 404 */
export async function listMetadata(ctx: ActorContext, id: string): Promise<Metadata> {
  authorize(ctx, policy, 'os_compute_api:server-metadata:index');
  return readMetadata(ctx, id);
}

/** One item of a server's metadata. @throws ApiError 404 the server or the item */
export async function showMetadata(ctx: ActorContext, id: string, key: string): Promise<string> {
  authorize(ctx, policy, 'os_compute_api:server-metadata:show');
  const value = (await readMetadata(ctx, id))[key];
  if (value === undefined) throw itemNotFound();
  return value;
}

async function readMetadata(ctx: ActorContext, id: string): Promise<Metadata> {
  const rows = await ctx.db.all<{ metadata: string }>(sql`SELECT metadata FROM servers s WHERE ${ownServer(ctx, id)}`);
  const [row] = rows;
  if (!row) throw serverNotFound(id);
  return JSON.parse(row.metadata) as Metadata;
}

/**
 * Adds and replaces items; with `replace` those not named go.
 * @returns the metadata as it then is
 * @throws ApiError 403 too many items, 404, 409 locked
 */
export async function setMetadata(
  ctx: ActorContext,
  id: string,
  items: Metadata,
  verb: 'create' | 'update' | 'update_all',
): Promise<Metadata> {
  const json = JSON.stringify(items);
  const value = verb === 'update_all' ? sql`json(${json})` : sql`json_patch(metadata, ${json})`;
  return write(ctx, id, { value, verb, policyAction: `os_compute_api:server-metadata:${verb}` });
}

/** Removes one item. @throws ApiError 404 the server or the item, 409 locked */
export async function deleteMetadata(ctx: ActorContext, id: string, key: string): Promise<void> {
  const held = sql`EXISTS (SELECT 1 FROM servers s, json_each(s.metadata) item WHERE s.id = ${id} AND item.key = ${key})`;
  const value = sql`json_patch(metadata, json_object(${key}, NULL))`;
  await write(ctx, id, { value, verb: 'delete', policyAction: 'os_compute_api:server-metadata:delete', held });
}

async function write(
  ctx: ActorContext,
  id: string,
  of: { value: SQL; verb: string; policyAction: ComputeAction; held?: SQL },
): Promise<Metadata> {
  const counted = sql`(SELECT count(*) FROM servers s, json_each(s.metadata) WHERE s.id = ${id})`;
  const now = ctx.clock.nowMs();
  const results = await commitTransition(ctx, {
    id,
    verb: `${of.verb === 'delete' ? 'delete' : 'update'} metadata`,
    policyAction: of.policyAction,
    statements: [
      ...(of.held ? [assertThat(ctx.db, 'item', of.held)] : []),
      ctx.db.run(sql`UPDATE servers SET metadata = ${of.value}, updated_at_ms = ${now} WHERE id = ${id}`),
      ...(of.held ? [] : assertRequestLimits(ctx, { metadata_items: counted })),
      patchDesiredServer(ctx.db, id, {
        path: '$.metadata.meta',
        value: sql`json((SELECT s.metadata FROM servers s WHERE s.id = ${id}))`,
      }),
      ctx.db.all<{ metadata: string }>(sql`SELECT metadata FROM servers WHERE id = ${id}`),
    ],
    touches: hostOf(id),
    refusals: { item: itemNotFound, ...requestLimitRefusals(ctx) },
  });
  const [row] = results.at(-1) as { metadata: string }[];
  return JSON.parse(row?.metadata ?? '{}') as Metadata;
}
