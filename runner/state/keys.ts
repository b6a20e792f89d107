import { createPrivateKey, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';

/** An Ed25519 key as it is kept: PKCS#8 in base64url. */
export type PrivateKey = string;

/** A new key. */
export function newKey(): PrivateKey {
  return generateKeyPairSync('ed25519').privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64url');
}

const load = (key: PrivateKey) =>
  createPrivateKey({ key: Buffer.from(key, 'base64url'), format: 'der', type: 'pkcs8' });

/** The public half: 32 raw bytes in base64url, 43 characters. */
export function publicKeyOf(key: PrivateKey): string {
  const { x } = createPublicKey(load(key)).export({ format: 'jwk' });
  if (typeof x !== 'string') throw new Error('the key is no Ed25519 key');
  return x;
}

/** The signature of a text, in base64url. */
export function signText(key: PrivateKey, text: string): string {
  return sign(null, Buffer.from(text), load(key)).toString('base64url');
}
