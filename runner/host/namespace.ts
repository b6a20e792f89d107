import { readlink } from 'node:fs/promises';

/** The number of the network namespace that this process is in. */
export async function networkNamespace(): Promise<string> {
  return /\d+/.exec(await readlink('/proc/self/ns/net'))?.[0] ?? '0';
}
