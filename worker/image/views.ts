import type { imageMembers, images } from '../../db/schema/image.ts';
import { STORE_ID } from './imports/stores.ts';

export type ImageRow = typeof images.$inferSelect;
export type MemberRow = typeof imageMembers.$inferSelect;

/** A moment as Glance writes it: whole seconds, UTC. */
export const isoSeconds = (ms: number) => new Date(ms).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** An image as Glance shows it: extra properties beside the others, at the top level. */
export function imageView(row: ImageRow): Record<string, unknown> {
  return {
    ...row.properties,
    id: row.id,
    name: row.name,
    disk_format: row.diskFormat,
    container_format: row.containerFormat,
    visibility: row.visibility,
    size: row.sizeBytes,
    virtual_size: row.virtualSizeBytes,
    status: row.status,
    checksum: row.md5,
    protected: row.protected,
    min_ram: row.minRamMib,
    min_disk: row.minDiskGib,
    owner: row.projectId,
    os_hidden: row.osHidden,
    os_hash_algo: row.sha512 === null ? null : 'sha512',
    os_hash_value: row.sha512,
    created_at: isoSeconds(row.createdAtMs),
    updated_at: isoSeconds(row.updatedAtMs),
    tags: row.tags,
    ...(row.status === 'active' || row.status === 'deactivated' ? { stores: STORE_ID } : {}),
    self: `/v2/images/${row.id}`,
    file: `/v2/images/${row.id}/file`,
    schema: '/v2/schemas/image',
  };
}

/**
 * A page of images.
 * @param query - what the client asked; the links repeat it
 * @param nextMarker - the last image of a full page
 */
export function imagesView(rows: ImageRow[], query: URLSearchParams, nextMarker: string | undefined) {
  const first = new URLSearchParams(query);
  first.delete('marker');
  const next = new URLSearchParams(first);
  if (nextMarker) next.set('marker', nextMarker);
  return {
    images: rows.map(imageView),
    first: first.size > 0 ? `/v2/images?${first}` : '/v2/images',
    schema: '/v2/schemas/images',
    ...(nextMarker ? { next: `/v2/images?${next}` } : {}),
  };
}

/** A project that an image is shared with. */
export function memberView(row: MemberRow) {
  return {
    member_id: row.memberId,
    image_id: row.imageId,
    status: row.status,
    created_at: isoSeconds(row.createdAtMs),
    updated_at: isoSeconds(row.updatedAtMs),
    schema: '/v2/schemas/member',
  };
}
