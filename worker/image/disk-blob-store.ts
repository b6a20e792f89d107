import type { BlobStore } from './blob-store.ts';

/** The service takes a URL; its host means nothing. */
const ORIGIN = 'http://blobs/';

/**
 * Blobs as files of a directory that workerd serves (`disk = (path = ..., writable = true)`). It writes a file beside and
 * renames it at the end, makes folders as needed, and reads ranges.
 */
export function diskBlobStore(directory: Fetcher): BlobStore {
  return {
    async put(key, data) {
      const response = await directory.fetch(ORIGIN + key, { method: 'PUT', body: data });
      await expectStatus('PUT', key, response, [204]);
    },
    async get(key, range) {
      const headers = range ? { range: `bytes=${range.first}-${range.last}` } : {};
      const response = await directory.fetch(ORIGIN + key, { headers });
      if (response.status === 404) {
        await response.body?.cancel();
        return null;
      }
      await expectStatus('GET', key, response, [range ? 206 : 200]);
      return response.body;
    },
    async delete(key) {
      const response = await directory.fetch(ORIGIN + key, { method: 'DELETE' });
      await expectStatus('DELETE', key, response, [204, 404]);
    },
  };
}

async function expectStatus(method: string, key: string, response: Response, expected: number[]): Promise<void> {
  if (expected.includes(response.status)) return;
  await response.body?.cancel();
  throw new Error(`${method} of blob ${key} was answered ${response.status} ${response.statusText}`);
}
