import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict, forbidden, notFound } from '../../http/errors.ts';
import { findImage } from '../find-image.ts';
import { authorizeImage } from '../policy.ts';

/** The one store there is: a directory at home, a bucket in the cloud. */
export const STORE_ID = 'aerostat';
const STORE = { id: STORE_ID, description: 'Where this cloud keeps its images', default: 'true' };

export const IMPORT_METHODS = ['glance-direct', 'web-download', 'copy-image', 'glance-download'] as const;
export type ImportMethod = (typeof IMPORT_METHODS)[number];

export const storesView = () => ({ stores: [STORE] });

/** The stores with what an operator may know of them. @throws ApiError 403 */
export function storesDetailView(ctx: ActorContext) {
  authorizeImage(ctx, 'stores_info_detail');
  return { stores: [{ ...STORE, type: ctx.env.BLOBS ? 'file' : 's3', weight: 0, properties: {} }] };
}

/** Refuses a store that is not there. @param storeId - absent: the default one. @throws ApiError 400 */
export function checkStore(storeId: string | undefined): void {
  if (storeId !== undefined && storeId !== STORE_ID) throw badRequest(`Store for identifier ${storeId} not found`);
}

/**
 * Refuses to take an image's data from a store, as it lies in no other.
 * @throws ApiError 403 not allowed, or the only store; 404; 409 no such store, or an image that is not active
 */
export async function deleteFromStore(ctx: ActorContext, storeId: string, imageId: string): Promise<never> {
  if (storeId !== STORE_ID) throw conflict(`The selected store ${storeId} is not available on this node.`);
  const row = await findImage(ctx, imageId);
  authorizeImage(ctx, 'delete_image_location', row.projectId);
  if (row.status !== 'active') {
    throw conflict("It's not allowed to remove image data from store if image status is not 'active'");
  }
  if (row.blobKey === null) throw notFound(`Image ${row.id} is not stored in store ${storeId}.`);
  throw forbidden('Cannot delete image data from the only store containing it. Consider deleting the image instead.');
}
