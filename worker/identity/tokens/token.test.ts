import { CompactSign } from 'jose';
import { beforeAll, expect, test } from 'vitest';
import { importTokenKey, openToken, type Scope, sealToken, TOKEN_CHARS_MAX, type Token } from './token.ts';

const domain = { id: 'default', name: 'Default' };
const token: Token = {
  user: { id: 'u1', name: 'ursula \u00fc', domain },
  scope: { type: 'project', project: { id: 'p1', name: 'pond', domain } },
  roles: [{ id: 'r1', name: 'member' }],
  methods: ['password'],
  auditIds: ['a1'],
  issuedAtMs: 1_800_000_000_123,
  expiresAtMs: 1_800_003_600_123,
  revocationSeq: 7,
};
let key: CryptoKey;
let otherKey: CryptoKey;
beforeAll(async () => {
  key = await importTokenKey(Buffer.alloc(32, 1).toString('base64'));
  otherKey = await importTokenKey(Buffer.alloc(32, 2).toString('base64'));
});

const scopes: Scope[] = [token.scope, { type: 'domain', domain }, { type: 'system' }, { type: 'unscoped' }];
test.each(scopes)('a token for $type comes back as it was', async (scope) => {
  const sent: Token = { ...token, scope, auditIds: ['a1', 'a0'], methods: ['token', 'password'] };
  expect(await openToken(await sealToken(sent, key), key)).toEqual(sent);
});

test('a token of a log-in elsewhere says by whom, and is not too long with the longest names', async () => {
  const long = (chars: number) => '\u{10348}'.repeat(chars);
  const most = { id: 'd'.repeat(64), name: long(64) };
  const federation = {
    idpId: 'i'.repeat(64),
    protocolId: 'p'.repeat(64),
    groupIds: Array.from({ length: 64 }, (_, at) => String(at).padStart(32, '0')),
  };
  const sent: Token = {
    ...token,
    user: { id: 'u'.repeat(64), name: long(255), domain: most },
    scope: { type: 'project', project: { ...most, domain: most } },
    federation,
  };
  const text = await sealToken(sent, key);
  expect(text.length).toBeLessThan(TOKEN_CHARS_MAX);
  expect(await openToken(text, key)).toEqual(sent);
});

test('a token under another key is not ours', async () => {
  expect(await openToken(await sealToken(token, otherKey), key)).toBeUndefined();
});

test('no single changed character goes unnoticed', async () => {
  const text = await sealToken(token, key);
  for (let at = 0; at < text.length; at += 1) {
    // The last character of each part carries bits that decoding drops; the first of every group never does.
    if (at % 4 !== 0 || text[at] === '.') continue;
    const changed = `${text.slice(0, at)}${text[at] === 'A' ? 'B' : 'A'}${text.slice(at + 1)}`;
    expect(await openToken(changed, key), `at ${at}`).toBeUndefined();
  }
});

test.each(['', '.', 'a.b.c', 'not a token', '\u0000', 'gAAAAABk-fernet-like'])('%j is no token', async (text) => {
  expect(await openToken(text, key)).toBeUndefined();
});

test('a token that asks not to be checked, or to be checked in another way, is refused', async () => {
  const [, payload] = (await sealToken(token, key)).split('.');
  const header = (alg: string) => Buffer.from(JSON.stringify({ alg })).toString('base64url');
  expect(await openToken(`${header('none')}.${payload}.`, key)).toBeUndefined();
  const bytes = Buffer.from(payload ?? '', 'base64url');
  const hs512 = await new CompactSign(bytes).setProtectedHeader({ alg: 'HS512' }).sign(new Uint8Array(64).fill(1));
  expect(await openToken(hs512, key)).toBeUndefined();
});

test.each(['[]', 'null', '{"v":2}', '{"v":1}', 'text'])('a signed %s is not a token', async (json) => {
  const text = await new CompactSign(new TextEncoder().encode(json)).setProtectedHeader({ alg: 'HS256' }).sign(key);
  expect(await openToken(text, key)).toBeUndefined();
});

test('a text over the limit is not even looked at', async () => {
  const long = { ...token, methods: ['x'.repeat(TOKEN_CHARS_MAX)] };
  expect(await openToken(await sealToken(long, key), key)).toBeUndefined();
});

test('the longest names and every role still make a token that fits', async () => {
  const name = '\u{1F680}'.repeat(127);
  const wide = { id: 'f'.repeat(32), name, domain: { id: 'f'.repeat(32), name: '\u{1F680}'.repeat(32) } };
  const project = { ...wide, name: '\u{1F680}'.repeat(32) };
  const roles = Array.from({ length: 8 }, () => ({ id: 'f'.repeat(32), name: 'x'.repeat(64) }));
  const big: Token = { ...token, user: wide, scope: { type: 'project', project }, roles };
  expect(await openToken(await sealToken(big, key), key)).toEqual(big);
});

test('a short signing key is refused with what it must be', async () => {
  await expect(importTokenKey(Buffer.alloc(31).toString('base64'))).rejects.toThrow('32 random bytes');
});
