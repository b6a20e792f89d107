import { images } from '../../db/schema/image.ts';
import { requireSolvent } from '../billing/admission/require-solvent.ts';
import { AssertionFailed, ConstraintFailed, commit } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest, conflict, forbidden } from '../http/errors.ts';
import { isAdmin } from '../http/policy.ts';
import { extraProperties, type ImageBody } from './image-body.ts';
import { authorizeImage } from './policy.ts';
import { checkProperties, distinctTags } from './quotas.ts';
import { typedLimit, withinLimit } from './usage.ts';
import type { ImageRow } from './views.ts';

/**
 * Registers an image without data.
 * @throws ApiError 403 another owner, public by one who is no admin, or nobody could pay for it; 409 the id is taken; 413 too many
 *   properties, tags or images
 */
export async function createImage(ctx: ActorContext, body: ImageBody): Promise<ImageRow> {
  const row = newRow(ctx, body);
  try {
    await commit(ctx, {
      audit: { action: 'image.create', targetType: 'image', targetId: row.id },
      statements: [
        withinLimit(ctx, row.projectId, 'image_count_total', 1),
        ...requireSolvent(ctx, row.projectId),
        ctx.db.insert(images).values(row),
      ],
    });
  } catch (error) {
    if (error instanceof ConstraintFailed) throw conflict(`Image ID ${row.id} already exists!`);
    throw error instanceof AssertionFailed ? typedLimit(error, row.projectId) : error;
  }
  return row;
}

/** The row of a new image. @throws ApiError 400, 403, 413, as `createImage` */
export function newRow(ctx: ActorContext, body: ImageBody): ImageRow {
  const nowMs = ctx.clock.nowMs();
  const visibility = body.visibility ?? 'shared';
  return {
    id: body.id?.toLowerCase() ?? ctx.ids.uuid(),
    region: ctx.region,
    projectId: ownerOf(ctx, body),
    name: body.name ?? null,
    status: 'queued',
    visibility,
    protected: body.protected ?? false,
    osHidden: body.os_hidden ?? false,
    containerFormat: body.container_format ?? null,
    diskFormat: body.disk_format ?? null,
    minDiskGib: body.min_disk ?? 0,
    minRamMib: body.min_ram ?? 0,
    sizeBytes: null,
    virtualSizeBytes: null,
    md5: null,
    sha256: null,
    sha512: null,
    blobKey: null,
    staged: null,
    properties: checkProperties(extraProperties(body)),
    tags: distinctTags(body.tags ?? []),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
}

function ownerOf(ctx: ActorContext, body: ImageBody): string {
  const owner = body.owner ?? ctx.actor.projectId;
  if (owner === null) throw badRequest('An image needs an owner: use a token that is scoped to a project.');
  if (owner !== ctx.actor.projectId && !isAdmin(ctx)) {
    throw forbidden(`You are not permitted to create images owned by '${owner}'`);
  }
  authorizeImage(ctx, 'add_image', owner);
  if (body.visibility === 'public') authorizeImage(ctx, 'publicize_image', owner);
  if (body.visibility === 'community') authorizeImage(ctx, 'communitize_image', owner);
  return owner;
}
