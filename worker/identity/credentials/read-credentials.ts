import { eq, type SQL } from 'drizzle-orm';
import { credentials } from '../../../db/schema/delegation.ts';
import type { Actor, ActorContext, Context } from '../../http/context.ts';
import { forbiddenAction } from '../http/forbidden-action.ts';
import { missing } from '../http/names.ts';
import { type Action, allows, authorize } from '../policy.ts';
import { unseal } from '../sealed.ts';
import { EC2, parseEc2Blob } from './ec2-blob.ts';

/** What credentials are sealed for. */
export const PURPOSE = 'credential';

/** A credential, opened. */
export type Credential = Omit<typeof credentials.$inferSelect, 'blobSealed'> & { blob: string };

/** @throws Error for one that was sealed under another TOKEN_KEY */
export async function openCredential(
  ctx: Context,
  { blobSealed, ...rest }: typeof credentials.$inferSelect,
): Promise<Credential> {
  const blob = await unseal(ctx, PURPOSE, blobSealed);
  if (blob === undefined) throw new Error(`credential ${rest.id} was sealed under another TOKEN_KEY`);
  return { ...rest, blob };
}

/** Opens those that the actor may see. */
export async function visibleCredentials(ctx: ActorContext, condition: SQL | undefined, limit: number) {
  const rows = await ctx.db.select().from(credentials).where(condition).orderBy(credentials.id).limit(limit);
  const seen = rows.filter(
    (row) => allows(ctx.actor, 'identity:get_credential', { userId: row.userId }) && isInScope(ctx.actor, row),
  );
  return openOwn(ctx, seen);
}

/** Opens credentials, and leaves out those that are worth more than the actor's own rights. */
export async function openOwn(ctx: ActorContext, rows: (typeof credentials.$inferSelect)[]): Promise<Credential[]> {
  const opened = await Promise.all(rows.map((row) => openCredential(ctx, row)));
  return opened.filter((one) => isOfOwnWorth(ctx.actor, one));
}

/** Whoever knows the secret of a key pair has what that is worth: rights that were passed on show none but their own. */
function isOfOwnWorth({ delegation }: Actor, { type, blob }: Credential): boolean {
  if (delegation === undefined || type !== EC2) return true;
  const { trust_id, app_cred_id } = parseEc2Blob(blob);
  return delegation.id === (delegation.type === 'trust' ? trust_id : app_cred_id);
}

/** @param options - whether who may not see it is told that there is none @throws ApiError 403, 404 */
export async function findCredential(
  ctx: ActorContext,
  id: string,
  action: Action,
  { absenceIsSecret = true } = {},
): Promise<Credential> {
  const [row] = await ctx.db.select().from(credentials).where(eq(credentials.id, id));
  if (!row && !absenceIsSecret) throw missing('credential', id);
  authorize(ctx, action, row ? { userId: row.userId } : {});
  if (!row) throw missing('credential', id);
  requireInScope(ctx, row);
  const [own] = await openOwn(ctx, [row]);
  if (!own) throw forbiddenAction('The credential is worth more than the delegated token');
  return own;
}

/** Rights that were passed on are for one project: so are the credentials that can be had, or made, by them. */
const isInScope = ({ delegation, projectId }: Actor, of: { projectId: string | null }): boolean =>
  delegation === undefined || of.projectId === projectId;

/** @throws ApiError 403 */
export function requireInScope({ actor }: ActorContext, of: { projectId: string | null }): void {
  if (!isInScope(actor, of)) {
    throw forbiddenAction('Credential project does not match the project scope of the delegated token');
  }
}

/** A credential as the API shows it. */
export const credentialView = (baseUrl: string, { id, userId, projectId, type, blob, extra }: Credential) => ({
  ...extra,
  id,
  user_id: userId,
  project_id: projectId,
  type,
  blob,
  links: { self: `${baseUrl}/identity/v3/credentials/${id}` },
});
