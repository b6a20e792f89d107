import type { Context } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { IMAGE_BYTES_MAX, REDIRECTS_MAX } from '../limits.ts';
import type { ImageRow } from '../views.ts';
import { sourceOf } from './check-source.ts';

export interface OpenSource {
  body: ReadableStream<Uint8Array>;
  /** What the source says that there is; undefined where it does not, or where it packs what it sends. */
  contentLength: number | undefined;
  /** The image that the data is of already; absent for data that is looked at. */
  like?: ImageRow;
}

const REDIRECTS = new Set([301, 302, 303, 307, 308]);

/**
 * Begins a download. Each redirect is checked as the first address was.
 * @param signal - ends it
 * @throws ApiError 400 with what is wrong: not allowed, not reached, another answer than 200, or too large
 */
export async function openSource(ctx: Context, uri: string, signal: AbortSignal): Promise<OpenSource> {
  let next = uri;
  for (let redirects = 0; redirects <= REDIRECTS_MAX; redirects += 1) {
    const url = sourceOf(next, ctx.env.IMPORT_ALLOW);
    if (!url) throw badRequest(`URI for web-download does not pass filtering: ${next}`);
    const response = await ask(ctx, url, signal);
    const location = response.headers.get('location');
    if (REDIRECTS.has(response.status) && location !== null && URL.canParse(location, url)) {
      await response.body?.cancel();
      next = new URL(location, url).href;
      continue;
    }
    if (response.status !== 200) {
      await response.body?.cancel();
      throw badRequest(`${url.href} was answered ${response.status} ${response.statusText}`.trim());
    }
    return { body: response.body ?? new Blob([]).stream(), contentLength: await lengthOf(response, url) };
  }
  throw badRequest(`${uri} redirects more than ${REDIRECTS_MAX} times`);
}

async function ask(ctx: Context, url: URL, signal: AbortSignal): Promise<Response> {
  try {
    return await ctx.download(
      new Request(url.href, { redirect: 'manual', signal, headers: { 'accept-encoding': 'identity' } }),
    );
  } catch (cause) {
    const why = signal.aborted ? signal.reason : cause;
    throw badRequest(`${url.href} was not reached: ${why instanceof Error ? why.message : String(why)}`);
  }
}

async function lengthOf(response: Response, url: URL): Promise<number | undefined> {
  const packed = response.headers.has('content-encoding');
  const text = response.headers.get('content-length');
  if (text === null || !/^\d{1,15}$/.test(text)) return undefined;
  const length = Number(text);
  if (length > IMAGE_BYTES_MAX) {
    await response.body?.cancel();
    throw badRequest(`${url.href} has ${length} bytes: more than the ${IMAGE_BYTES_MAX} of an image`);
  }
  return packed ? undefined : length;
}
