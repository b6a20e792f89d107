import type { FetchImage } from '../compute/images/download.ts';
import type { RunnerOptions } from '../config.ts';

const ANSWER_TIMEOUT_MS = 30_000;

/** Fetches images from the edge, as the runner that the bearer names; the edge gives only what this runner's guests need. */
export function fetchImageFromEdge({ edgeUrl, bearer }: Pick<RunnerOptions, 'edgeUrl' | 'bearer'>): FetchImage {
  return async (id, fromByte) => {
    const token = bearer();
    if (token === null) throw new Error('the edge has not welcomed this runner yet');
    const abort = new AbortController();
    // The answer must begin in time; how long the data takes is its reader's affair.
    const timer = setTimeout(() => abort.abort(new Error('the edge did not answer in time')), ANSWER_TIMEOUT_MS);
    try {
      const response = await fetch(`${edgeUrl}/aerostat/v1/runner/images/${encodeURIComponent(id)}`, {
        headers: { authorization: `Bearer ${token}`, ...(fromByte > 0 ? { range: `bytes=${fromByte}-` } : {}) },
        signal: abort.signal,
      });
      if (!response.ok || !response.body)
        throw new Error(`the edge answered ${response.status} ${(await response.text()).slice(0, 300)}`);
      if (fromByte > 0 && response.status !== 206) throw new Error('the edge did not go on where the download broke');
      return { body: response.body as AsyncIterable<Uint8Array> };
    } finally {
      clearTimeout(timer);
    }
  };
}
