import type { Env } from '../env.ts';
import type { BlobStore } from './blob-store.ts';
import { diskBlobStore } from './disk-blob-store.ts';
import { r2BlobStore } from './r2-blob-store.ts';

/** The blob store that the environment offers: a directory at home, a bucket in the cloud. */
export function blobStoreOf(env: Env): BlobStore {
  if (env.BLOBS) return diskBlobStore(env.BLOBS);
  if (env.BUCKET) return r2BlobStore(env.BUCKET);
  throw new Error('No blob store: bind BLOBS to a directory of workerd, or BUCKET to an R2 bucket.');
}
