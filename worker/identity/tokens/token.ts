import { CompactSign, compactVerify } from 'jose';
import { z } from 'zod';
import { type Delegation, packDelegation, packedDelegation, unpackDelegation } from './delegation.ts';

/** How long a token issued for a password is good. */
export const TOKEN_LIFE_MS = 3600 * 1000;
/** A longer X-Auth-Token is refused unread; ours stay below with the longest names. */
export const TOKEN_CHARS_MAX = 12_288;
const KEY_BYTES_MIN = 32;

export interface Named {
  id: string;
  name: string;
}
export interface InDomain extends Named {
  domain: Named;
}

/** Where a token's roles hold. */
export type Scope =
  | { type: 'project'; project: InDomain }
  | { type: 'domain'; domain: Named }
  | { type: 'system' }
  | { type: 'unscoped' };

/** How somebody was logged in elsewhere. */
export interface Federation {
  idpId: string;
  protocolId: string;
  /** The groups that the log-in put the user in. */
  groupIds: string[];
}

/** All that validation needs, so that nothing is read from the database for it. */
export interface Token {
  user: InDomain;
  scope: Scope;
  /** With implied roles. */
  roles: Named[];
  methods: string[];
  /** Its own, and for a rescoped token that of the first of its line. */
  auditIds: [string] | [string, string];
  issuedAtMs: number;
  expiresAtMs: number;
  /** Of a log-in by an identity provider, and of what it was exchanged for. */
  federation?: Federation;
  /** When the user's password stops being taken, where it does. */
  passwordExpiresAtMs?: number;
  /** By what it holds rights that somebody passed on. */
  delegation?: Delegation;
  /** The last revocation when its rights were read: only later ones end it, whatever the clocks say. */
  revocationSeq: number;
}

const VERSION = 1;
const named = z.tuple([z.string(), z.string()]);
const inDomain = z.tuple([z.string(), z.string(), z.string(), z.string()]);

/** What is signed: short names and tuples, as a token travels with every request. */
const payload = z.object({
  v: z.literal(VERSION),
  u: inDomain,
  s: z.union([
    z.object({ p: inDomain }),
    z.object({ d: named }),
    z.object({ s: z.literal(1) }),
    z.object({ n: z.literal(1) }),
  ]),
  r: z.array(named),
  m: z.array(z.string()),
  a: z.union([z.tuple([z.string()]), z.tuple([z.string(), z.string()])]),
  i: z.number(),
  e: z.number(),
  q: z.number(),
  d: packedDelegation.optional(),
  x: z.number().optional(),
  f: z.tuple([z.string(), z.string(), z.array(z.string())]).optional(),
});
type Payload = z.infer<typeof payload>;

const packNamed = ({ id, name }: Named): z.infer<typeof named> => [id, name];
const packInDomain = ({ id, name, domain }: InDomain): z.infer<typeof inDomain> => [id, name, domain.id, domain.name];
const unpackNamed = ([id, name]: z.infer<typeof named>): Named => ({ id, name });
const unpackInDomain = ([id, name, domainId, domainName]: z.infer<typeof inDomain>): InDomain => ({
  id,
  name,
  domain: { id: domainId, name: domainName },
});

const packFederation = ({ idpId, protocolId, groupIds }: Federation): NonNullable<Payload['f']> => [
  idpId,
  protocolId,
  groupIds,
];
const unpackFederation = ([idpId, protocolId, groupIds]: NonNullable<Payload['f']>): Federation => ({
  idpId,
  protocolId,
  groupIds,
});

function packScope(scope: Scope): Payload['s'] {
  switch (scope.type) {
    case 'project':
      return { p: packInDomain(scope.project) };
    case 'domain':
      return { d: packNamed(scope.domain) };
    case 'system':
      return { s: 1 };
    case 'unscoped':
      return { n: 1 };
  }
}

function unpackScope(scope: Payload['s']): Scope {
  if ('p' in scope) return { type: 'project', project: unpackInDomain(scope.p) };
  if ('d' in scope) return { type: 'domain', domain: unpackNamed(scope.d) };
  return { type: 's' in scope ? 'system' : 'unscoped' };
}

/**
 * The signing key of a base64 text.
 * @throws Error when it is shorter than HS256 wants
 */
export async function importTokenKey(base64: string): Promise<CryptoKey> {
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length < KEY_BYTES_MIN) throw new Error(`TOKEN_KEY must be ${KEY_BYTES_MIN} random bytes in base64`);
  return crypto.subtle.importKey('raw', bytes, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
}

/** The token as text: a compact JWS under HS256. */
export function sealToken(token: Token, key: CryptoKey): Promise<string> {
  const packed: Payload = {
    v: VERSION,
    u: packInDomain(token.user),
    s: packScope(token.scope),
    r: token.roles.map(packNamed),
    m: token.methods,
    a: token.auditIds,
    i: token.issuedAtMs,
    e: token.expiresAtMs,
    q: token.revocationSeq,
    ...(token.passwordExpiresAtMs === undefined ? {} : { x: token.passwordExpiresAtMs }),
    ...(token.delegation ? { d: packDelegation(token.delegation) } : {}),
    ...(token.federation ? { f: packFederation(token.federation) } : {}),
  };
  const bytes = new TextEncoder().encode(JSON.stringify(packed));
  return new CompactSign(bytes).setProtectedHeader({ alg: 'HS256' }).sign(key);
}

/** What a text of ours says, whether or not it has expired; undefined for anything that this key did not sign. */
export async function openToken(text: string, key: CryptoKey): Promise<Token | undefined> {
  if (text.length > TOKEN_CHARS_MAX) return undefined;
  let json: unknown;
  try {
    const { payload: bytes } = await compactVerify(text, key, { algorithms: ['HS256'] });
    json = JSON.parse(new TextDecoder().decode(bytes));
  } catch {
    return undefined;
  }
  const { data } = payload.safeParse(json);
  if (!data) return undefined;
  return {
    user: unpackInDomain(data.u),
    scope: unpackScope(data.s),
    roles: data.r.map(unpackNamed),
    methods: data.m,
    auditIds: data.a,
    issuedAtMs: data.i,
    expiresAtMs: data.e,
    revocationSeq: data.q,
    ...(data.x === undefined ? {} : { passwordExpiresAtMs: data.x }),
    ...(data.d ? { delegation: unpackDelegation(data.d) } : {}),
    ...(data.f ? { federation: unpackFederation(data.f) } : {}),
  };
}
