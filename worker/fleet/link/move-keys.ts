import { toHex } from '../../../shared/digest.ts';
import type { Env } from '../../env.ts';

/** The key of a move by its id. */
export type MoveKeys = (moveId: string) => Promise<string>;

/**
 * Keys of moves: the two machines of each are given the same one, nobody else. They are derived from the edge's own secret as
 * they are sent, so that the database never holds one.
 */
export function moveKeys(env: Env): MoveKeys {
  const secret = Uint8Array.from(atob(env.TOKEN_KEY), (char) => char.charCodeAt(0));
  return async (moveId) => {
    const key = await crypto.subtle.importKey('raw', secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
    const text = new TextEncoder().encode(`aerostat-move:v1:${moveId}`);
    return toHex(new Uint8Array(await crypto.subtle.sign('HMAC', key, text)));
  };
}
