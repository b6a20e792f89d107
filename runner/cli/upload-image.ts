import type { UploadImage } from '../compute/images/upload.ts';
import type { RunnerOptions } from '../config.ts';
import { DriverError } from '../driver.ts';

/** Answers after which the same data will be refused again. */
const FINAL = new Set([404, 409, 410, 413, 415]);

/** Sends images to the edge, as the runner that the bearer names; the edge takes only what it asked this runner for. */
export function uploadImageToEdge({ edgeUrl, bearer }: Pick<RunnerOptions, 'edgeUrl' | 'bearer'>): UploadImage {
  return async (id, data, signal) => {
    const token = bearer();
    if (token === null) throw new Error('the edge has not welcomed this runner yet');
    const response = await fetch(`${edgeUrl}/aerostat/v1/runner/images/${encodeURIComponent(id)}`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${token}`, 'content-type': 'application/octet-stream' },
      body: data,
      signal,
    });
    if (response.ok) return;
    const said = `the edge answered ${response.status} ${(await response.text()).slice(0, 300)}`;
    if (!FINAL.has(response.status)) throw new Error(said);
    throw new DriverError(`Image ${id} was refused: ${said}`, { code: response.status });
  };
}
