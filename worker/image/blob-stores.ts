import type { Env } from '../env.ts';
import type { BlobStore } from './blob-store.ts';

/** The blob store that the environment offers: a directory at home, a bucket in the cloud. */
export function blobStoreOf(_env: Env): BlobStore {
  throw new Error('no blob store');
}
