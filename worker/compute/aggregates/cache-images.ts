import { type SQL, sql } from 'drizzle-orm';
import { imageRef } from '../../../shared/specs/server.ts';
import { assertThat, type Statement } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { visibleImages } from '../../image/visible.ts';
import { commitOr } from '../http/commit-or.ts';
import { policy } from '../policy.ts';
import { aggregateNotFound, ownAggregate } from './aggregate-rows.ts';
import { hostsIn } from './settle-hosts.ts';

/** A machine that is away for longer, or whose downloads take longer, does without. */
const CACHE_DEADLINE_MS = 6 * 3600 * 1000;

const FORMATS = sql.join(
  imageRef.shape.disk_format.options.map((format) => sql`${format}`),
  sql`, `,
);

/**
 * Asks each machine of an aggregate to fetch images before a guest needs them. What a machine is fetching already, and images
 * that no guest can be started from, it is not asked for.
 * @throws ApiError 400 an image twice, or not there; 404 no such aggregate
 */
export async function cacheImages(ctx: ActorContext, id: number, imageIds: string[]): Promise<void> {
  const action = 'compute:aggregates:images';
  authorize(ctx, policy, action);
  if (new Set(imageIds).size < imageIds.length) throw badRequest('Duplicate images in request');
  const hosts = sql`${hostsIn(id)} AND runners.state <> 'removed'`;
  const there = (imageId: string) =>
    sql`EXISTS (SELECT 1 FROM images WHERE images.id = ${imageId} AND ${visibleImages(ctx)})`;
  const change = {
    audit: { action, targetType: 'aggregate', targetId: String(id), detail: { images: imageIds } },
    touches: hosts,
    statements: [
      assertThat(ctx.db, 'aggregate', sql`EXISTS (SELECT 1 FROM aggregates a WHERE ${ownAggregate(ctx, id)})`),
      ...imageIds.map((imageId) => assertThat(ctx.db, imageId, there(imageId))),
      ...imageIds.map((imageId) => askHosts(ctx, hosts, imageId)),
    ],
  };
  const absent = imageIds.map(
    (imageId) => [imageId, () => badRequest(`Image ${imageId} could not be found.`)] as const,
  );
  await commitOr(ctx, change, { aggregate: () => aggregateNotFound(id), ...Object.fromEntries(absent) });
}

/** @param hosts - a condition on `runners` */
function askHosts(ctx: ActorContext, hosts: SQL, imageId: string): Statement {
  const now = ctx.clock.nowMs();
  return ctx.db.run(sql`
    INSERT INTO operations (op_id, region, runner_id, kind, target_kind, target_id, target_epoch, request_id, state, args, deadline_ms, created_at_ms)
    SELECT ${ctx.ids.uuid()} || ':' || row_number() OVER (ORDER BY runners.id), runners.region, runners.id, 'cache-image', 'image', i.id, 0,
      ${ctx.requestId}, 'queued', json_object('image', json_object('id', i.id, 'sha256', i.sha256, 'size_bytes', i.size_bytes,
        'disk_format', i.disk_format)), ${now + CACHE_DEADLINE_MS}, ${now}
    FROM runners JOIN images i ON i.id = ${imageId} AND i.status = 'active' AND i.disk_format IN (${FORMATS})
    WHERE ${hosts} AND NOT EXISTS (SELECT 1 FROM operations o WHERE o.runner_id = runners.id AND o.kind = 'cache-image'
      AND o.target_id = i.id AND o.state IN ('queued', 'accepted'))`);
}
