import { createHash, createHmac } from 'node:crypto';
import { z } from 'zod';
import { unauthorized } from '../../http/errors.ts';

const text = z.record(z.string(), z.coerce.string());

/** A request that somebody signed with the secret of a key pair, as EC2's and S3's services pass it on. */
export const signedRequest = z.object({
  access: z.string(),
  signature: z.string().optional(),
  /** Of S3: what was signed, in base64. */
  token: z.string().optional(),
  host: z.string().default(''),
  verb: z.string().default(''),
  path: z.string().default(''),
  params: text.default({}),
  headers: text.default({}),
  body_hash: z.string().default(''),
});
export type SignedRequest = z.infer<typeof signedRequest>;

type Bytes = string | Buffer;
const hmac = (algorithm: 'sha1' | 'sha256', key: Bytes, data: Bytes): Buffer =>
  createHmac(algorithm, key).update(data).digest();
const chain = (secret: string, ...parts: string[]): Buffer =>
  parts.reduce((key: Bytes, part) => hmac('sha256', key, part), `AWS4${secret}`) as Buffer;

/** What the signature of a request to EC2 must be, by its version. @throws ApiError 401 for none that is known */
export function ec2Signature(secret: string, request: SignedRequest): string {
  const { params, headers, verb, host, path } = request;
  switch (params.SignatureVersion) {
    case '0':
      return hmac('sha1', secret, `${params.Action}${params.Timestamp}`).toString('base64');
    case '1':
      return hmac('sha1', secret, byName(params).flat().join('')).toString('base64');
    case '2': {
      const query = canonicalQuery({ ...params, SignatureMethod: 'HmacSHA256' });
      return hmac('sha256', secret, `${verb}\n${host}\n${path}\n${query}`).toString('base64');
    }
  }
  const isV4 = [headers.Authorization?.split(' ')[0], params['X-Amz-Algorithm']].includes('AWS4-HMAC-SHA256');
  if (!isV4 || params.SignatureVersion !== undefined) throw unauthorized();
  return signatureV4(secret, request);
}

function signatureV4(secret: string, { params, headers, verb, path, body_hash }: SignedRequest): string {
  const authorization = headers.Authorization;
  const parameter = (name: string): string =>
    (authorization === undefined
      ? params[`X-Amz-${name}`]
      : authorization.slice(authorization.indexOf(`${name}=`) + name.length + 1).split(',')[0]) ?? '';
  const date = headers['X-Amz-Date'] ?? params['X-Amz-Date'] ?? '';
  const [, day = '', region = '', service = '', ...rest] = parameter('Credential').split('/');
  if (day === '' || !date.startsWith(day)) throw unauthorized();
  const signed = parameter('SignedHeaders');
  const lower = new Map(Object.entries(headers).map(([name, value]) => [name.toLowerCase().trim(), value.trim()]));
  const lines = signed.split(';').flatMap((name) => (lower.has(name) ? [`${name}:${lower.get(name)}`] : []));
  const query = verb.toUpperCase() === 'POST' ? '' : canonicalQuery(params);
  const canonical = [verb.toUpperCase(), path, query, `${lines.join('\n')}\n`, signed, body_hash].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, [day, region, service, ...rest].join('/'), hash].join('\n');
  return hmac('sha256', chain(secret, day, region, service, 'aws4_request'), toSign).toString('hex');
}

/** What the signature of a request to S3 must be. @throws ApiError 401 for a text that is none */
export function s3Signature(secret: string, base64: string): string {
  const bytes = Buffer.from(base64, 'base64url');
  const toSign = bytes.toString('utf8');
  if (!toSign.startsWith('AWS4')) return hmac('sha1', secret, bytes).toString('base64');
  const [algorithm, , scope = '', ...others] = toSign.split('\n');
  const [day = '', region = '', service = '', end, ...more] = scope.split('/');
  const known = ['s3', 'iam', 'sts'].includes(service) && end === 'aws4_request' && more.length === 0;
  if (algorithm !== 'AWS4-HMAC-SHA256' || others.length !== 1 || !known) throw unauthorized();
  return hmac('sha256', chain(secret, day, region, service, 'aws4_request'), bytes).toString('hex');
}

/** When a request to S3 says that it was signed; undefined where it does not, before version 4. */
export function s3Date(base64: string): string | undefined {
  const [algorithm, date] = Buffer.from(base64, 'base64url').toString('utf8').split('\n');
  return algorithm?.startsWith('AWS4') ? date : undefined;
}

const byName = (params: Record<string, string>): [string, string][] =>
  Object.entries(params).toSorted(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1));

/** Sorted by name, and quoted as AWS wants it. */
const canonicalQuery = (params: Record<string, string>): string =>
  Object.entries(params)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${quoted(name)}=${quoted(value)}`)
    .join('&');

const quoted = (value: string): string =>
  encodeURIComponent(value).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);
