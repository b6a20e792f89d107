import { sha256Hex } from './digest.ts';

/**
 * What a set of desired objects amounts to: edge and runner compute it alike, so a difference shows without sending them.
 * Tombstones do not count: a thing to remove and a thing removed are the same wish.
 */
export function ledgerDigest(objects: Iterable<{ kind: string; id: string; generation: number }>): Promise<string> {
  const lines = Array.from(objects, (object) => `${object.kind}/${object.id}@${object.generation}`).sort();
  return sha256Hex(lines.join('\n'));
}
