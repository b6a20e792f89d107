import { eq } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import { ConstraintFailed, commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { requireUnrestricted } from '../application-credentials/guards.ts';
import { merged } from '../http/attributes.ts';
import { missing, taken } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { seal } from '../sealed.ts';
import type { CredentialToCreate, CredentialToUpdate } from './credential-body.ts';
import { EC2, ec2Id, parseEc2Blob } from './ec2-blob.ts';
import { type Credential, findCredential, openCredential, PURPOSE, requireInScope } from './read-credentials.ts';

type Row = typeof credentials.$inferSelect;
/** What of a key pair for EC2 cannot be changed, as it says what it is worth. */
const FIXED = ['trust_id', 'app_cred_id', 'access_token_id', 'access_id'];

/** @throws ApiError 400, 403, 409 (there is a key pair of that access key) */
export async function createCredential(ctx: ActorContext, input: CredentialToCreate): Promise<Credential> {
  const action = 'identity:create_credential';
  const { blob, ...attributes } = input;
  authorize(ctx, action, { userId: input.userId });
  if (input.type === EC2) requireUnrestricted(ctx, 'credentials');
  requireInScope(ctx, input);
  const kept = input.type === EC2 ? ec2Blob(ctx, blob) : { id: ctx.ids.hex(), blob };
  return insertCredential(ctx, { ...attributes, ...kept }, action);
}

/** A key pair bears what the token that makes it was limited by. */
function ec2Blob({ actor: { delegation } }: ActorContext, text: string): { id: string; blob: string } {
  const blob = parseEc2Blob(text);
  const id = ec2Id(blob.access);
  if (!delegation) return { id, blob: text };
  const limit = delegation.type === 'trust' ? { trust_id: delegation.id } : { app_cred_id: delegation.id };
  return { id, blob: JSON.stringify({ ...blob, ...limit }) };
}

/** Keeps a credential, sealed. @throws ApiError 409 */
export async function insertCredential(
  ctx: ActorContext,
  { blob, ...row }: Omit<Credential, 'extra'> & { extra?: Credential['extra'] },
  action: string,
): Promise<Credential> {
  const blobSealed = await seal(ctx, PURPOSE, blob);
  const insert = ctx.db
    .insert(credentials)
    .values({ ...row, blobSealed })
    .returning();
  const { userId, type } = row;
  const [rows] = await commit(ctx, {
    audit: { action, targetType: 'credential', targetId: row.id, detail: { userId, type } },
    statements: [insert],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? taken('credential', `Duplicate entry found with ID ${row.id}`) : error;
  });
  return openCredential(ctx, (rows as Row[])[0] as Row);
}

/** @throws ApiError 400, 403, 404 */
export async function updateCredential(
  ctx: ActorContext,
  id: string,
  { id: bodyId, blob, change }: CredentialToUpdate,
): Promise<Credential> {
  const action = 'identity:update_credential';
  const current = await findCredential(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change credential ID');
  const changed = { ...current, ...change };
  // Nobody gives a credential away, or out of the project that the token is for.
  authorize(ctx, action, { userId: changed.userId });
  requireInScope(ctx, changed);
  if (changed.type === EC2) requireSameWorth(current, blob);
  const update = ctx.db
    .update(credentials)
    .set({
      ...change,
      extra: merged(current.extra, change.extra),
      ...(blob === undefined ? {} : { blobSealed: await seal(ctx, PURPOSE, blob) }),
    })
    .where(eq(credentials.id, id))
    .returning();
  const detail = { changed: [...Object.keys(change), ...(blob === undefined ? [] : ['blob'])] };
  const [rows] = await commit(ctx, {
    audit: { action, targetType: 'credential', targetId: id, detail },
    statements: [update],
  });
  const [row] = rows as Row[];
  if (!row) throw missing('credential', id);
  return openCredential(ctx, row);
}

function requireSameWorth(current: Credential, blob: string | undefined): void {
  const after = parseEc2Blob(blob ?? current.blob);
  const before = current.type === EC2 ? parseEc2Blob(current.blob) : {};
  for (const key of FIXED) {
    if ((before as Record<string, unknown>)[key] !== after[key]) {
      throw badRequest(`${key} can not be updated for credential`);
    }
  }
}

/** @throws ApiError 403, 404 */
export async function deleteCredential(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_credential';
  await findCredential(ctx, id, action);
  await commit(ctx, {
    audit: { action, targetType: 'credential', targetId: id },
    statements: [ctx.db.delete(credentials).where(eq(credentials.id, id))],
  });
}
