/** Where image data lies: a directory at home, a bucket in the cloud. Keys are `[a-z0-9/-]`, minted by us. */
export interface BlobStore {
  /**
   * Stores a stream under a new key. A stream of unknown length that is aborted may look complete to the store: whoever
   * aborts it waits for the end of this and deletes the key.
   * @param data - of the platform's own streams, so that it is read without JavaScript in between
   * @param sizeBytes - given when it is the readable side of a FixedLengthStream of that length
   */
  put(key: string, data: ReadableStream<Uint8Array>, sizeBytes?: number): Promise<void>;
  /** The blob's bytes, or null where there is none. `range` counts bytes, both ends inclusive. */
  get(key: string, range?: { first: number; last: number }): Promise<ReadableStream<Uint8Array> | null>;
  delete(key: string): Promise<void>;
}
