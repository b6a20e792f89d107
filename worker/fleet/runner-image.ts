import type { Context } from '../http/context.ts';
import { imageDataResponse } from '../image/image-data.ts';
import { openImageForRunner } from '../image/open-image-for-runner.ts';
import { receiveSnapshot } from '../image/receive-snapshot.ts';
import type { UploadInput } from '../image/store-upload.ts';
import { requireSession } from './require-session.ts';

/**
 * An image's bytes for a runner that has a guest from it, or was asked to have it in its cache.
 * @throws ApiError 401 not this runner's newest session; 404 no guest of this runner needs the image; 416
 */
export async function runnerImage(
  ctx: Context,
  authorization: string | undefined,
  imageId: string,
  range: string | undefined,
): Promise<Response> {
  const { id, region } = await requireSession(ctx, authorization);
  return imageDataResponse(await openImageForRunner({ ...ctx, region }, id, imageId, range));
}

/**
 * Takes an image's bytes from a runner that was asked for them by an operation.
 * @throws ApiError 401 not this runner's newest session; otherwise as `receiveSnapshot`
 */
export async function takeRunnerImage(
  ctx: Context,
  authorization: string | undefined,
  imageId: string,
  input: UploadInput,
): Promise<void> {
  const { id, region } = await requireSession(ctx, authorization);
  await receiveSnapshot({ ...ctx, region }, id, imageId, input);
}
