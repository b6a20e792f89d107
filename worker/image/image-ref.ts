import { sql } from 'drizzle-orm';
import { images } from '../../db/schema/image.ts';
import { type ImageRef, imageRef } from '../../shared/specs/server.ts';
import type { Statement } from '../http/commit.ts';
import type { ActorContext } from '../http/context.ts';
import { badRequest } from '../http/errors.ts';
import { INSPECTED_CONTAINERS } from './formats.ts';
import type { ImageRow } from './views.ts';
import { visibleImages } from './visible.ts';

/** Length of the kernel command line that a guest may be given; the limit of `serverSpec`. */
const KERNEL_COMMAND_LINE_CHARS_MAX = 2048;

/** What a server needs to know of the image that it boots from. */
export interface ServerImage {
  image: ImageRef;
  /** Direct kernel boot, where the image's properties `kernel_id` and `ramdisk_id` name one. */
  kernel: ImageRef | null;
  ramdisk: ImageRef | null;
  kernelCommandLine: string | null;
  name: string | null;
  /** The least that a flavor must have; 0 for no limit. */
  minDiskGib: number;
  minRamMib: number;
  /** What the guest sees of the disk; null where the data does not say. A flavor's disk must hold it. */
  virtualSizeBytes: number | null;
  properties: Record<string, string>;
}

/**
 * The reads that `imageOf` needs, for the caller's one batch of reads: the image, and the kernel and ramdisk that its
 * properties name, as far as the actor may see them.
 */
export function imageReads(ctx: ActorContext, imageId: string): Statement[] {
  const named = (property: string) =>
    sql`(SELECT json_extract(boot.properties, ${`$.${property}`}) FROM images AS boot WHERE boot.id = ${imageId})`;
  return [
    ctx.db
      .select()
      .from(images)
      .where(sql`images.id IN (${imageId}, ${named('kernel_id')}, ${named('ramdisk_id')}) AND ${visibleImages(ctx)}`),
  ];
}

/**
 * The image of a new server, from the results of `imageReads` in their order.
 * @throws ApiError 400, as Nova words it: not found or not the actor's to see, not active, or of a format that no
 *   hypervisor here boots
 */
export function imageOf(_ctx: ActorContext, imageId: string, rows: unknown[]): ServerImage {
  const found = new Map((rows[0] as ImageRow[]).map((row) => [row.id, row]));
  const bootable = (id: string) => toImageRef(found.get(id));
  const row = found.get(imageId);
  const image = toImageRef(row);
  const properties = row?.properties ?? {};
  const { kernel_id: kernelId, ramdisk_id: ramdiskId, os_command_line: kernelCommandLine } = properties;
  if (kernelCommandLine && kernelCommandLine.length > KERNEL_COMMAND_LINE_CHARS_MAX) {
    throw badRequest(
      `Image ${imageId} has an os_command_line of more than ${KERNEL_COMMAND_LINE_CHARS_MAX} characters: shorten it.`,
    );
  }
  return {
    image,
    kernel: kernelId ? bootable(kernelId) : null,
    ramdisk: ramdiskId ? bootable(ramdiskId) : null,
    kernelCommandLine: kernelCommandLine || null,
    name: row?.name ?? null,
    minDiskGib: row?.minDiskGib ?? 0,
    minRamMib: row?.minRamMib ?? 0,
    virtualSizeBytes: row?.virtualSizeBytes ?? null,
    properties,
  };
}

/**
 * A row as a runner is told of it.
 * @throws ApiError 400 for no row, an image that is not active, or a format that no runner boots
 */
function toImageRef(row: ImageRow | undefined): ImageRef {
  if (!row) throw badRequest('Can not find requested image');
  if (row.status !== 'active') throw badRequest(`Image ${row.id} is not active.`);
  if (!INSPECTED_CONTAINERS.has(row.containerFormat ?? '')) {
    throw badRequest(`Image ${row.id} is unacceptable: its container format ${row.containerFormat} cannot be booted.`);
  }
  const ref = imageRef.safeParse({
    id: row.id,
    sha256: row.sha256,
    size_bytes: row.sizeBytes,
    disk_format: row.diskFormat,
  });
  if (!ref.success) {
    throw badRequest(
      `Image ${row.id} is unacceptable: its disk format ${row.diskFormat} cannot be booted here; convert it to qcow2 or raw.`,
    );
  }
  return ref.data;
}
