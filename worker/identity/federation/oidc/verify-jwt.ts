import { createLocalJWKSet, errors, type JSONWebKeySet, type JWTPayload, jwtVerify } from 'jose';
import { type Document, FRESH_MS } from './document-cache.ts';
import { ProviderFault, TokenRefused } from './provider-fault.ts';

/** Signatures of a key that only the provider has; never `none`, never one of a secret that others share. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
/** What an ID token or an access token may call itself; a provider signs other things with the same keys. */
const TYPES = [undefined, 'jwt', 'at+jwt', 'application/at+jwt'];
/** A key that is not known makes the keys be read again, but no sooner than this after the last time. */
export const RENEW_MS = 30_000;
const CLOCK_TOLERANCE_S = 60;

/** What a token must say to be good here. */
export interface Expected {
  issuer: string;
  /** One of them must be among the token's audience. */
  audiences: readonly string[];
  nowMs: number;
  /** The provider's keys, not older than this if that can be had. */
  keys(maxAgeMs: number): Promise<Document>;
}

const keySets = new WeakMap<Document, ReturnType<typeof createLocalJWKSet>>();

function keySetOf(document: Document): ReturnType<typeof createLocalJWKSet> {
  let keySet = keySets.get(document);
  if (!keySet) {
    try {
      keySet = createLocalJWKSet(document as unknown as JSONWebKeySet);
    } catch {
      throw new ProviderFault("the identity provider's keys are no JSON Web Key Set");
    }
    keySets.set(document, keySet);
  }
  return keySet;
}

/**
 * The claims of a token that the provider signed for us.
 * @throws TokenRefused for any other, ProviderFault when there are no keys to check it with
 */
export async function verifyJwt(text: string, expected: Expected): Promise<JWTPayload> {
  const known = await expected.keys(FRESH_MS);
  try {
    return await verifyWith(keySetOf(known), text, expected);
  } catch (error) {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw refused(error);
  }
  const renewed = await expected.keys(RENEW_MS);
  if (renewed === known) throw new TokenRefused('the token is signed with a key that its issuer does not publish');
  return verifyWith(keySetOf(renewed), text, expected).catch((error: unknown) => {
    throw refused(error);
  });
}

async function verifyWith(
  keySet: ReturnType<typeof createLocalJWKSet>,
  text: string,
  { issuer, audiences, nowMs }: Expected,
): Promise<JWTPayload> {
  const { payload, protectedHeader } = await jwtVerify(text, keySet, {
    algorithms: ALGORITHMS,
    issuer,
    audience: [...audiences],
    requiredClaims: ['sub', 'exp', 'iat'],
    clockTolerance: CLOCK_TOLERANCE_S,
    currentDate: new Date(nowMs),
  });
  if (!TYPES.includes(protectedHeader.typ?.toLowerCase())) {
    throw new TokenRefused(`a ${protectedHeader.typ} is neither an ID token nor an access token`);
  }
  return payload;
}

function refused(error: unknown): unknown {
  return error instanceof errors.JOSEError ? new TokenRefused(error.message) : error;
}
