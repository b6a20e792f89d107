import { AssertionFailed } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, conflict } from '../../http/errors.ts';
import { againIfChanged, findImage } from '../find-image.ts';
import { authorizeImage } from '../policy.ts';
import { typedLimit } from '../usage.ts';
import type { ImageRow } from '../views.ts';
import { checkStores, type ImportRequest } from './import-body.ts';
import { METHODS } from './import-methods.ts';
import { STORE_ID } from './stores.ts';

/**
 * Imports an image. Staged data becomes the image's at once; a download, from elsewhere or another region, goes on after
 * the answer; a copy to other stores has nothing to do, as there is one.
 * @throws ApiError 400 a source that is not allowed, or a copy to where it is; 403, 404; 409 not in the status that the
 *   method needs, no formats, or no such store; 413 over what the project may have
 */
export function importImage(ctx: ActorContext, imageId: string, request: ImportRequest): Promise<void> {
  return againIfChanged(async () => {
    const row = await findImage(ctx, imageId);
    checkStatus(row, request);
    if (request.method === 'copy-image') {
      authorizeImage(ctx, 'copy_image', row.projectId);
      checkStores(request);
      if (!request.allStores) throw badRequest(`Image is already present at store '${STORE_ID}'`);
    } else {
      authorizeImage(ctx, 'modify_image', row.projectId);
      checkStores(request);
    }
    const input = { image_id: row.id, import_req: request.body, backend: [STORE_ID] };
    try {
      await METHODS[request.method](ctx, row, input);
    } catch (error) {
      throw error instanceof AssertionFailed ? typedLimit(error, row.projectId) : error;
    }
  });
}

function checkStatus(row: ImageRow, { method }: ImportRequest): void {
  if (row.status === 'active' && method !== 'copy-image') {
    throw conflict('Image with status active cannot be target for import');
  }
  if (row.status !== 'active' && method === 'copy-image') {
    throw conflict('Only images with status active can be targeted for copying');
  }
  if (row.status !== 'queued' && (method === 'web-download' || method === 'glance-download')) {
    throw conflict(`Image needs to be in 'queued' state to use '${method}' method`);
  }
  if ((row.status !== 'uploading' || row.staged === null) && method === 'glance-direct') {
    throw conflict("Image needs to be staged before 'glance-direct' method can be used");
  }
  if (!row.containerFormat) throw conflict("'container_format' needs to be set before import");
  if (!row.diskFormat) throw conflict("'disk_format' needs to be set before import");
}
