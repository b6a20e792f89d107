import { exportJWK, generateKeyPair, type JWTHeaderParameters, type JWTPayload, SignJWT } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { DocumentCache, type Reader } from './document-cache.ts';
import { ProviderFault, TokenRefused } from './provider-fault.ts';
import { type Expected, RENEW_MS, verifyJwt } from './verify-jwt.ts';

const ISSUER = 'https://sso.example.org';
const NOW_MS = Date.parse('2026-11-27T12:00:00Z');
const NOW_S = NOW_MS / 1000;

interface Key {
  kid: string;
  alg: string;
  sign: CryptoKey;
  publish: object;
}
const keys: Record<string, Key> = {};

async function newKey(kid: string, alg: string): Promise<Key> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  return { kid, alg, sign: privateKey, publish: { ...(await exportJWK(publicKey)), kid, alg, use: 'sig' } };
}
const key = (kid: string): Key => keys[kid] as Key;
beforeAll(async () => {
  for (const [kid, alg] of [
    ['one', 'RS256'],
    ['two', 'ES256'],
    ['ed', 'EdDSA'],
  ] as const)
    keys[kid] = await newKey(kid, alg);
});

const CLAIMS = { sub: 'ann', iss: ISSUER, aud: 'cloud', iat: NOW_S, exp: NOW_S + 300 };
const token = (claims: JWTPayload = {}, by = 'one', header: Partial<JWTHeaderParameters> = {}) => {
  const payload = Object.fromEntries(
    Object.entries({ ...CLAIMS, ...claims }).filter(([, value]) => value !== undefined),
  );
  return new SignJWT(payload).setProtectedHeader({ alg: key(by).alg, kid: by, ...header }).sign(key(by).sign);
};

/** A provider that publishes some keys, read through the cache, under a clock that only the test moves. */
function provider(...published: string[]) {
  const state = { published, nowMs: NOW_MS, reads: 0, document: undefined as object | undefined };
  const cache = new DocumentCache();
  const reader: Reader = {
    nowMs: () => state.nowMs,
    read: async () => {
      state.reads += 1;
      return (state.document ?? { keys: state.published.map((kid) => key(kid).publish) }) as Record<string, unknown>;
    },
    sleep: async () => {},
  };
  const expected = (): Expected => ({
    issuer: ISSUER,
    audiences: ['cloud', 'cli'],
    nowMs: state.nowMs,
    keys: (maxAgeMs) => cache.get(`${ISSUER}/keys`, reader, maxAgeMs),
  });
  return { state, verify: async (text: string | Promise<string>) => verifyJwt(await text, expected()) };
}

describe('a token is taken', () => {
  test.each(['one', 'two', 'ed'])('signed by %s', async (by) => {
    expect(await provider('one', 'two', 'ed').verify(token({}, by))).toMatchObject({ sub: 'ann' });
  });
  test.each([[{ aud: 'cli' }], [{ aud: ['x', 'cloud'] }], [{ exp: NOW_S - 59 }], [{ nbf: NOW_S + 59 }]])(
    'with %j',
    async (claims) => {
      expect(await provider('one').verify(token(claims))).toMatchObject(claims);
    },
  );
  test.each(['JWT', 'at+jwt', 'application/at+jwt'])('of the type %s', async (typ) => {
    expect(await provider('one').verify(token({}, 'one', { typ }))).toMatchObject({ sub: 'ann' });
  });
  test('without a kid, where there is one key', async () => {
    expect(await provider('one').verify(token({}, 'one', { kid: undefined as unknown as string }))).toMatchObject({});
  });
});

const base64 = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a token is refused', () => {
  test.each([
    ['of another issuer', { iss: `${ISSUER}/` }],
    ['of no issuer', { iss: undefined }],
    ['for another audience', { aud: 'other' }],
    ['for no audience', { aud: undefined }],
    ['that has expired', { exp: NOW_S - 60 }],
    ['that never expires', { exp: undefined }],
    ['that is not good yet', { nbf: NOW_S + 61 }],
    ['that does not say since when', { iat: undefined }],
    ['of nobody', { sub: undefined }],
  ] as [string, JWTPayload][])('%s', async (_, claims) => {
    await expect(provider('one').verify(token(claims))).rejects.toThrow(TokenRefused);
  });

  test('unsigned', async () => {
    const none = `${base64({ alg: 'none' })}.${base64(CLAIMS)}.`;
    const stripped = (await token()).replace(/[^.]*$/, '');
    for (const text of [none, stripped, 'a.b.c', '..'])
      await expect(provider('one').verify(text)).rejects.toThrow(TokenRefused);
  });

  test('signed with the public key as if it were a secret', async () => {
    const secret = new TextEncoder().encode(JSON.stringify(key('one').publish));
    const text = new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(secret);
    await expect(provider('one').verify(text)).rejects.toThrow(TokenRefused);
  });

  test('with a changed payload, or the signature of another', async () => {
    const [head, , signature] = (await token()).split('.');
    const bent = `${head}.${base64({ ...CLAIMS, sub: 'admin' })}.${signature}`;
    await expect(provider('one').verify(bent)).rejects.toThrow(TokenRefused);
    const [otherHead, payload] = (await token({}, 'one')).split('.');
    const other = (await token({ sub: 'bob' })).split('.')[2];
    await expect(provider('one').verify(`${otherHead}.${payload}.${other}`)).rejects.toThrow(TokenRefused);
  });

  test('with the key it brings along', async () => {
    const text = token({}, 'two', { kid: 'brought', jwk: key('two').publish, jku: 'https://evil.example.org' });
    await expect(provider('one').verify(text)).rejects.toThrow(TokenRefused);
  });

  test.each(['logout+jwt', 'secevent+jwt', 'dpop+jwt'])('of the type %s', async (typ) => {
    await expect(provider('one').verify(token({}, 'one', { typ }))).rejects.toThrow(TokenRefused);
  });

  test('with an extension that must be understood', async () => {
    const text = `${base64({ alg: 'RS256', kid: 'one', crit: ['x'], x: 1 })}.${base64(CLAIMS)}.AAAA`;
    await expect(provider('one').verify(text)).rejects.toThrow(TokenRefused);
  });
});

describe('keys', () => {
  test('are read once for many tokens', async () => {
    const { state, verify } = provider('one', 'two');
    for (const by of ['one', 'two', 'one']) await verify(token({}, by));
    expect(state.reads).toBe(1);
  });

  test('that were rotated are found, and the old ones are forgotten', async () => {
    const { state, verify } = provider('one');
    await verify(token());
    state.published = ['two'];
    state.nowMs += RENEW_MS;
    expect(await verify(token({}, 'two'))).toMatchObject({ sub: 'ann' });
    expect(state.reads).toBe(2);
    state.nowMs += RENEW_MS;
    await expect(verify(token())).rejects.toThrow(TokenRefused);
  });

  test('that nobody publishes are not asked for again and again', async () => {
    const { state, verify } = provider('one');
    const unknown = await token({}, 'two');
    for (let tries = 0; tries < 5; tries += 1) await expect(verify(unknown)).rejects.toThrow(TokenRefused);
    expect(state.reads).toBe(1);
    state.nowMs += RENEW_MS;
    for (let tries = 0; tries < 5; tries += 1) await expect(verify(unknown)).rejects.toThrow(TokenRefused);
    expect(state.reads).toBe(2);
  });

  test('in a document that holds none are a fault of the provider', async () => {
    const { state, verify } = provider();
    state.document = { keys: 'none' };
    await expect(verify(token())).rejects.toThrow(ProviderFault);
  });

  test('that are not asymmetric are never used', async () => {
    const { state, verify } = provider();
    const k = Buffer.alloc(32, 1);
    state.document = { keys: [{ kty: 'oct', k: k.toString('base64url'), kid: 'one', alg: 'HS256' }] };
    const text = new SignJWT(CLAIMS).setProtectedHeader({ alg: 'HS256', kid: 'one' }).sign(k);
    await expect(verify(text)).rejects.toThrow(TokenRefused);
  });
});
