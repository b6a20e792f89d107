import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { findImage } from '../../image/find-image.ts';
import type { ImageChange } from '../../image/json-patch.ts';
import { listImages } from '../../image/list-images.ts';
import { updateImage } from '../../image/update-image.ts';
import type { ImageRow } from '../../image/views.ts';
import { last, markerNotFound, pageOf, type Query } from '../http/paging.ts';
import { timeOf } from '../servers/list-query.ts';

/** What Nova calls the states of an image. */
const STATUSES: Readonly<Record<string, string>> = {
  active: 'ACTIVE',
  queued: 'SAVING',
  saving: 'SAVING',
  uploading: 'SAVING',
  importing: 'SAVING',
  deleted: 'DELETED',
  pending_delete: 'DELETED',
  killed: 'ERROR',
};
export const statusOf = (row: ImageRow): string => STATUSES[row.status] ?? 'UNKNOWN';

type Test = (row: ImageRow, value: string) => boolean;
/** What a list may be narrowed by. A server is named by its id, or by its URL. */
const FILTERS: Readonly<Record<string, Test>> = {
  name: (row, value) => row.name === value,
  status: (row, value) => statusOf(row) === value.toUpperCase(),
  server: (row, value) => row.properties.instance_uuid === value.split('/').at(-1),
  type: (row, value) => (row.properties.image_type ?? 'base') === value,
  minRam: (row, value) => row.minRamMib >= Number(value),
  minDisk: (row, value) => row.minDiskGib >= Number(value),
  'changes-since': (row, value) => row.updatedAtMs >= timeOf('changes-since', value),
};

/**
 * A page of the images that the actor sees, newest first.
 * @throws ApiError 400 a limit or marker that is none
 */
export async function listNovaImages(ctx: ActorContext, query: Query): Promise<ImageRow[]> {
  const { limit, marker } = pageOf(query);
  const { rows } = await listImages(ctx, new URLSearchParams({ limit: '1000' }));
  const tests = Object.entries(FILTERS).flatMap(([name, test]) => {
    const value = last(query, name);
    return value === undefined ? [] : [(row: ImageRow) => test(row, value)];
  });
  const found = rows.filter((row) => tests.every((test) => test(row)));
  const at = marker === undefined ? -1 : found.findIndex((row) => row.id === marker);
  if (marker !== undefined && at < 0) throw markerNotFound(marker);
  return found.slice(at + 1, at + 1 + limit);
}

/** An image. @throws ApiError 404 in Nova's words */
export async function findNovaImage(ctx: ActorContext, id: string): Promise<ImageRow> {
  return findImage(ctx, id).catch((error: unknown) => {
    throw isMissing(error) ? notFound('Image not found.') : error;
  });
}
const isMissing = (error: unknown) => (error as { status?: number }).status === 404;

/**
 * Sets metadata of an image; with `replace` what is not named goes.
 * @returns the metadata as it then is
 * @throws ApiError 403 not the actor's to change, 404
 */
export async function setImageMetadata(
  ctx: ActorContext,
  id: string,
  items: Record<string, string>,
  of: { replace: boolean },
): Promise<Record<string, string>> {
  const row = await findNovaImage(ctx, id);
  const gone = of.replace ? Object.keys(row.properties).filter((key) => !Object.hasOwn(items, key)) : [];
  const changes: ImageChange[] = [
    ...gone.map((member) => ({ op: 'remove' as const, member })),
    ...Object.entries(items).map(([member, value]) => ({ op: 'add' as const, member, value, strictAdd: false })),
  ];
  return (await updateImage(ctx, row.id, changes)).properties;
}

/** Removes one item. @throws ApiError 403, 404 the image or the item */
export async function deleteImageMetadata(ctx: ActorContext, id: string, key: string): Promise<void> {
  const row = await findNovaImage(ctx, id);
  if (!Object.hasOwn(row.properties, key)) throw notFound('Invalid metadata key');
  await updateImage(ctx, row.id, [{ op: 'remove', member: key }]);
}
