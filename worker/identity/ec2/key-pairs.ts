import { and, asc, eq } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import { projects, users } from '../../../db/schema/identity.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { requireUnrestricted } from '../application-credentials/guards.ts';
import { EC2, ec2Id, parseEc2Blob } from '../credentials/ec2-blob.ts';
import { type Credential, findCredential, openOwn, requireInScope } from '../credentials/read-credentials.ts';
import { insertCredential } from '../credentials/write-credentials.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';

/** At most so many of a user are listed. */
const KEY_PAIRS_MAX = 1_000;

/** The key pairs of a user. @throws ApiError 403, 404 */
export async function listKeyPairs(ctx: ActorContext, userId: string): Promise<Credential[]> {
  authorize(ctx, 'identity:ec2_list_credentials', { userId });
  const [known, rows] = await ctx.db.batch([
    ctx.db.select({ id: users.id }).from(users).where(eq(users.id, userId)),
    ctx.db
      .select()
      .from(credentials)
      .where(and(eq(credentials.userId, userId), eq(credentials.type, EC2)))
      .orderBy(asc(credentials.id))
      .limit(KEY_PAIRS_MAX),
  ]);
  if (known.length === 0) throw missing('user', userId);
  const { delegation, projectId } = ctx.actor;
  const seen = rows.filter((row) => delegation === undefined || row.projectId === projectId);
  return openOwn(ctx, seen);
}

/** A new pair of keys for a user on a project. @throws ApiError 403, 404 */
export async function createKeyPair(
  ctx: ActorContext,
  { userId, projectId }: { userId: string; projectId: string },
): Promise<Credential> {
  const action = 'identity:ec2_create_credential';
  authorize(ctx, action, { userId });
  requireUnrestricted(ctx, 'credentials');
  const [owners, places] = await ctx.db.batch([
    ctx.db.select({ id: users.id }).from(users).where(eq(users.id, userId)),
    ctx.db.select({ id: projects.id }).from(projects).where(eq(projects.id, projectId)),
  ]);
  if (owners.length === 0) throw missing('user', userId);
  if (places.length === 0) throw missing('project', projectId);
  requireInScope(ctx, { projectId });
  const { delegation } = ctx.actor;
  const [access, secret] = [ctx.ids.hex(), ctx.ids.hex()];
  const blob = JSON.stringify({
    access,
    secret,
    trust_id: delegation?.type === 'trust' ? delegation.id : null,
    ...(delegation?.type === 'application-credential' ? { app_cred_id: delegation.id } : {}),
  });
  return insertCredential(ctx, { id: ec2Id(access), userId, projectId, type: EC2, blob }, action);
}

/** @throws ApiError 403, 404 */
export function findKeyPair(ctx: ActorContext, access: string): Promise<Credential> {
  return findCredential(ctx, ec2Id(access), 'identity:ec2_get_credential', { absenceIsSecret: false });
}

/** @throws ApiError 403, 404 */
export async function deleteKeyPair(ctx: ActorContext, access: string): Promise<void> {
  const action = 'identity:ec2_delete_credential';
  const { id } = await findCredential(ctx, ec2Id(access), action, { absenceIsSecret: false });
  await commit(ctx, {
    audit: { action, targetType: 'credential', targetId: id },
    statements: [ctx.db.delete(credentials).where(eq(credentials.id, id))],
  });
}

/** A key pair as the API for EC2 shows it. */
export function keyPairView(baseUrl: string, { userId, projectId, blob }: Credential) {
  const { access, secret, trust_id } = parseEc2Blob(blob);
  return {
    user_id: userId,
    tenant_id: projectId,
    access,
    secret,
    trust_id: trust_id ?? null,
    links: { self: `${baseUrl}/identity/v3/users/${userId}/credentials/OS-EC2/${access}` },
  };
}
