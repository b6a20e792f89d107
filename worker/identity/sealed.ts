import { CompactEncrypt, compactDecrypt } from 'jose';
import type { Context } from '../http/context.ts';

const HEADER = { alg: 'dir', enc: 'A256GCM' } as const;

/** A key of its own for each purpose, so that what was sealed for one cannot be opened as another. */
async function keyFor(ctx: Context, purpose: string): Promise<CryptoKey> {
  const secret = await crypto.subtle.importKey('raw', Buffer.from(ctx.env.TOKEN_KEY, 'base64'), 'HKDF', false, [
    'deriveKey',
  ]);
  const info = new TextEncoder().encode(`aerostat sealed ${purpose}`);
  const salt = new Uint8Array();
  const into = { name: 'AES-GCM', length: 256 };
  return crypto.subtle.deriveKey({ name: 'HKDF', hash: 'SHA-256', salt, info }, secret, into, false, [
    'encrypt',
    'decrypt',
  ]);
}

/**
 * A text that only this cloud can read: a compact JWE.
 * @param purpose - what it is for, and whose it is; it opens for nothing else
 */
export async function seal(ctx: Context, purpose: string, text: string): Promise<string> {
  const key = await keyFor(ctx, purpose);
  return new CompactEncrypt(new TextEncoder().encode(text)).setProtectedHeader(HEADER).encrypt(key);
}

/** What was sealed; undefined for anything that was not sealed here for this purpose, or under another TOKEN_KEY. */
export async function unseal(ctx: Context, purpose: string, sealed: string): Promise<string | undefined> {
  try {
    const { plaintext } = await compactDecrypt(sealed, await keyFor(ctx, purpose), {
      keyManagementAlgorithms: [HEADER.alg],
      contentEncryptionAlgorithms: [HEADER.enc],
    });
    return new TextDecoder().decode(plaintext);
  } catch {
    return undefined;
  }
}
