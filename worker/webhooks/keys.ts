import type { webhookSecrets } from '../../db/schema/webhooks.ts';
import type { Context } from '../http/context.ts';
import { seal, unseal } from '../identity/sealed.ts';

export type SecretRow = typeof webhookSecrets.$inferSelect;
export const SECRET_TYPES = ['hmac', 'ed25519'] as const;
export type SecretType = (typeof SECRET_TYPES)[number];

/** The standard wants 24 to 64. */
const HMAC_BYTES = 32;
const SEED_BYTES = 32;

const base64 = (bytes: ArrayBuffer | Uint8Array<ArrayBuffer>) =>
  Buffer.from(bytes instanceof ArrayBuffer ? new Uint8Array(bytes) : bytes).toString('base64');
const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');
/** A secret opens for its own endpoint alone. */
const purposeOf = (endpointId: string) => `webhook ${endpointId}`;

/**
 * A new secret of an endpoint, sealed.
 * @returns the row, and what its owner is shown, once: the shared secret, or the public key
 */
export async function newSecret(
  ctx: Context,
  endpointId: string,
  type: SecretType,
): Promise<{ row: SecretRow; shown: { secret: string } | { public_key: string } }> {
  const { text, publicKey } = type === 'hmac' ? newShared() : await newPair();
  const row: SecretRow = {
    ...{ id: ctx.ids.uuid(), endpointId, type, publicKey },
    sealed: await seal(ctx, purposeOf(endpointId), text),
    createdAtMs: ctx.clock.nowMs(),
    expiresAtMs: null,
  };
  return { row, shown: publicKey === null ? { secret: text } : { public_key: publicKey } };
}

function newShared() {
  return { text: `whsec_${base64(crypto.getRandomValues(new Uint8Array(HMAC_BYTES)))}`, publicKey: null };
}

/** A key pair as the standard writes it: the secret key is the seed and the public key behind it. */
async function newPair() {
  const pair = (await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify'])) as CryptoKeyPair;
  const { d = '', x = '' } = (await crypto.subtle.exportKey('jwk', pair.privateKey)) as JsonWebKey;
  const [seed, open] = [Buffer.from(d, 'base64url'), Buffer.from(x, 'base64url')];
  return {
    text: `whsk_${Buffer.concat([seed, open]).toString('base64')}`,
    publicKey: `whpk_${open.toString('base64')}`,
  };
}

/**
 * The header `webhook-signature`: one signature a secret, the newest first, so that a secret can change without a gap.
 * @returns null where none of the secrets can be opened, as after TOKEN_KEY was changed
 */
export async function signatures(ctx: Context, secrets: SecretRow[], content: string): Promise<string | null> {
  const opened = await Promise.all(secrets.map((row) => unseal(ctx, purposeOf(row.endpointId), row.sealed)));
  const bytes = Uint8Array.from(new TextEncoder().encode(content));
  const known = opened.filter((text): text is string => text !== undefined);
  const signed = await Promise.all(
    known.map((text) => (text.startsWith('whsk_') ? signA(text, bytes) : sign(text, bytes))),
  );
  return signed.length > 0 ? signed.join(' ') : null;
}

async function sign(secret: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const raw = Buffer.from(secret.slice('whsec_'.length), 'base64');
  const key = await crypto.subtle.importKey('raw', raw, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  return `v1,${base64(await crypto.subtle.sign('HMAC', key, bytes))}`;
}

async function signA(secret: string, bytes: Uint8Array<ArrayBuffer>): Promise<string> {
  const raw = Buffer.from(secret.slice('whsk_'.length), 'base64');
  const [d, x] = [base64url(raw.subarray(0, SEED_BYTES)), base64url(raw.subarray(SEED_BYTES))];
  const key = await crypto.subtle.importKey('jwk', { kty: 'OKP', crv: 'Ed25519', d, x }, 'Ed25519', false, ['sign']);
  return `v1a,${base64(await crypto.subtle.sign('Ed25519', key, bytes))}`;
}
