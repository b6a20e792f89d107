import { timingSafeEqual } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound, unauthorized } from '../../http/errors.ts';
import { EC2, ec2Id, parseEc2Blob } from '../credentials/ec2-blob.ts';
import { openCredential } from '../credentials/read-credentials.ts';
import { authorize } from '../policy.ts';
import { byApplicationCredential, byTrust } from '../tokens/delegated.ts';
import { SIGNED_REQUEST } from '../tokens/delegation.ts';
import { issueToken } from '../tokens/issue-token.ts';
import type { Token } from '../tokens/token.ts';
import { ec2Signature, type SignedRequest, s3Date, s3Signature } from './signatures.ts';

/** How long after its time a signed request is taken, as Keystone's `credential.auth_ttl`. */
const SIGNATURE_LIFE_MS = 15 * 60 * 1000;
/** The longest that AWS lets an address live which somebody signed to hand on. What is signed does not say for how long. */
const PRESIGNED_LIFE_MS = 7 * 24 * 3600 * 1000;

/**
 * A token for whoever signed a request with a key pair. Services ask for it, not the signers: a signature that somebody
 * saw would else be a log-in.
 * @throws ApiError 401, 403, 404 (no such key pair)
 */
export async function authenticateRequest(
  ctx: ActorContext,
  service: 'ec2' | 's3',
  request: SignedRequest,
): Promise<{ text: string; token: Token }> {
  authorize(ctx, `identity:${service}tokens_validate`);
  const [row] = await ctx.db
    .select()
    .from(credentials)
    .where(eq(credentials.id, ec2Id(request.access)));
  if (row?.type !== EC2) throw notFound('EC2 access key not found.');
  const credential = await openCredential(ctx, row);
  const { secret, trust_id, app_cred_id } = parseEc2Blob(credential.blob);
  if (!isSigned(service, secret ?? '', request)) throw unauthorized();
  requireFresh(ctx, service, request);
  const { userId, projectId } = credential;
  const method = SIGNED_REQUEST;
  if (trust_id) {
    const delegated = await byTrust(ctx, trust_id);
    // A key pair's text is its owner's to write: what it says of a trust counts for whom the trust's tokens name.
    if (delegated.userId !== userId) throw unauthorized();
    return issueToken(ctx, { proven: { userId: delegated.bearerId, method }, scope: delegated.scope }, delegated);
  }
  if (app_cred_id) {
    const delegated = await byApplicationCredential(ctx, { id: app_cred_id });
    return issueToken(ctx, { proven: { userId, method }, scope: delegated.scope }, delegated);
  }
  return issueToken(ctx, {
    proven: { userId, method },
    scope: { type: 'project', project: { id: projectId ?? '' } },
  });
}

function isSigned(service: 'ec2' | 's3', secret: string, request: SignedRequest): boolean {
  const { signature, host, token } = request;
  if (signature === undefined || secret === '') return false;
  if (service === 's3') return token !== undefined && same(signature, s3Signature(secret, token));
  if (same(signature, ec2Signature(secret, request))) return true;
  // Some clients sign the host without its port.
  const bare = host.replace(/:\d+$/, '');
  return bare !== host && same(signature, ec2Signature(secret, { ...request, host: bare }));
}

function same(one: string, other: string): boolean {
  const [a, b] = [Buffer.from(one), Buffer.from(other)];
  return a.length === b.length && timingSafeEqual(a, b);
}

/** @throws ApiError 401 for a request whose time is long past, or cannot be read; one without a time is taken as it is */
function requireFresh(ctx: ActorContext, service: 'ec2' | 's3', { params, headers, token = '' }: SignedRequest): void {
  const nowMs = ctx.clock.nowMs();
  const date = headers['X-Amz-Date'] ?? params['X-Amz-Date'];
  if (service === 's3') {
    requireWithin(SIGNATURE_LIFE_MS, params.Timestamp ?? date, nowMs);
    requireWithin(PRESIGNED_LIFE_MS, s3Date(token), nowMs);
    return;
  }
  // A time that the signature does not cover is anyone's to add: version 4 covers its own date alone.
  requireWithin(SIGNATURE_LIFE_MS, params.SignatureVersion === undefined ? date : params.Timestamp, nowMs);
}

function requireWithin(lifeMs: number, timestamp: string | undefined, nowMs: number): void {
  if (!timestamp) return;
  const iso = timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z');
  const ms = Date.parse(/(Z|[+-]\d\d:?\d\d)$/.test(iso) ? iso : `${iso}Z`);
  if (Number.isNaN(ms) || nowMs > ms + lifeMs) throw unauthorized();
}
