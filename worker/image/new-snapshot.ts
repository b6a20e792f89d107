import { type SQL, sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import type { Statement } from '../http/commit.ts';
import type { Context } from '../http/context.ts';
import type { DiskFormat } from './formats.ts';
import { checkProperties, RESERVED_PREFIX } from './quotas.ts';
import { withinLimit } from './usage.ts';
import type { ImageRow } from './views.ts';

export interface SnapshotInput {
  /** Of the server. */
  projectId: string;
  name: string;
  /** `shared` when another project's user asks, so that the server's own project can be made a member. */
  visibility: 'private' | 'shared';
  /** Of the image that the server was made of; what may not be inherited is left out. */
  inherited: Record<string, string>;
  /** What the snapshot says of itself (`image_type`, `instance_uuid`, ...); it wins over what is inherited. */
  properties: Record<string, string>;
  minDiskGib: number;
  minRamMib: number;
  /** Of the data that the runner will send; qcow2 unless told. */
  diskFormat?: DiskFormat;
}

/** Nova's list: signatures and caches are about the data that they were made for. */
const NOT_INHERITED = new Set([
  'cache_in_nova',
  'bittorrent',
  'img_signature_hash_method',
  'img_signature',
  'img_signature_key_type',
  'img_signature_certificate_uuid',
]);

/**
 * An image that a runner will fill (`receiveSnapshot`), for the caller's batch: it is queued until then. The operation that
 * asks the runner for it names it as `image_id` in its arguments; that is what lets the runner write it.
 * The batch fails on the assertion `image_count_total` when the project has too many images: see `typedLimit`.
 * @throws ApiError 413 too many properties
 */
export function newSnapshot(ctx: Context, input: SnapshotInput): { row: ImageRow; statements: Statement[] } {
  const nowMs = ctx.clock.nowMs();
  const inherited = Object.entries(input.inherited).filter(
    ([name]) => !NOT_INHERITED.has(name) && !name.startsWith(RESERVED_PREFIX),
  );
  const row: ImageRow = {
    id: ctx.ids.uuid(),
    region: ctx.region,
    projectId: input.projectId,
    name: input.name,
    status: 'queued',
    visibility: input.visibility,
    protected: false,
    osHidden: false,
    containerFormat: 'bare',
    diskFormat: input.diskFormat ?? 'qcow2',
    minDiskGib: input.minDiskGib,
    minRamMib: input.minRamMib,
    sizeBytes: null,
    virtualSizeBytes: null,
    md5: null,
    sha256: null,
    sha512: null,
    blobKey: null,
    staged: null,
    properties: checkProperties({ ...Object.fromEntries(inherited), ...input.properties }),
    tags: [],
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  return {
    row,
    statements: [withinLimit(ctx, row.projectId, 'image_count_total', 1), ctx.db.insert(images).values(row)],
  };
}

/**
 * Takes back snapshots that will not be filled, for the batch that notes their failure: an image still queued or being
 * written is deleted, one that is active stays. A runner that is still sending finds it gone.
 * @param imageIds - an id, or SQL for `IN (...)`
 */
export function dropSnapshots(ctx: Context, imageIds: string | SQL): Statement[] {
  const nowMs = ctx.clock.nowMs();
  return [
    ctx.db.run(sql`UPDATE images SET status = 'deleted', blob_key = NULL, properties = '{}', tags = '[]',
      updated_at_ms = max(${nowMs}, updated_at_ms + 1)
      WHERE id IN (${imageIds}) AND region = ${ctx.region} AND status IN ('queued', 'saving')`),
  ];
}
