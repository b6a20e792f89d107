import { eq } from 'drizzle-orm';
import { runners } from '../../db/schema/fleet.ts';
import type { Context } from '../http/context.ts';
import { unauthorized } from '../http/errors.ts';
import { imageDataResponse } from '../image/image-data.ts';
import { openImageForRunner } from '../image/open-image-for-runner.ts';
import { verifyRunnerToken } from './runner-token.ts';

/**
 * An image's bytes for a runner that has a guest from it.
 * @throws ApiError 401 not this runner's newest session; 404 no guest of this runner needs the image; 416
 */
export async function runnerImage(
  ctx: Context,
  authorization: string | undefined,
  imageId: string,
  range: string | undefined,
): Promise<Response> {
  const bearer = await verifyRunnerToken(ctx.env, ctx.clock, authorization);
  const [row] = await ctx.db
    .select({ epoch: runners.epoch, state: runners.state, region: runners.region })
    .from(runners)
    .where(eq(runners.id, bearer.id))
    .limit(1);
  if (!row || row.state === 'removed' || row.epoch !== bearer.epoch)
    throw unauthorized('A newer session of this runner took over.');
  return imageDataResponse(await openImageForRunner({ ...ctx, region: row.region }, bearer.id, imageId, range));
}
