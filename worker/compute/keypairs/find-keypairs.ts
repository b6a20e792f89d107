import { and, eq, gt, type SQL, sql } from 'drizzle-orm';
import { keypairs } from '../../../db/schema/compute.ts';
import { assertThat } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest, notFound } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { commitOr } from '../http/commit-or.ts';
import type { Page } from '../http/paging.ts';
import { policy } from '../policy.ts';
import type { KeypairRow } from './views.ts';

const keypairNotFound = (name: string, userId: string) => notFound(`Keypair ${name} not found for user ${userId}`);
const ofUser = (ctx: ActorContext, userId: string) => and(eq(keypairs.region, ctx.region), eq(keypairs.userId, userId));
const named = (ctx: ActorContext, userId: string, name: string): SQL | undefined =>
  and(ofUser(ctx, userId), eq(keypairs.name, name));

/** A user's key pairs by name. @throws ApiError 400 no such marker, 403 another user's */
export async function listKeypairs(ctx: ActorContext, userId: string, page: Page | null): Promise<KeypairRow[]> {
  authorize(ctx, policy, 'os_compute_api:os-keypairs:index', { userId });
  const marker = page?.marker;
  const after = marker === undefined ? undefined : gt(keypairs.name, marker);
  const select = ctx.db
    .select()
    .from(keypairs)
    .where(and(ofUser(ctx, userId), after))
    .orderBy(keypairs.name);
  const rows = page ? select.limit(page.limit) : select;
  if (marker === undefined) return rows;
  const [known, listed] = await ctx.db.batch([
    ctx.db
      .select({ name: keypairs.name })
      .from(keypairs)
      .where(named(ctx, userId, marker)),
    rows,
  ]);
  if (known.length === 0) throw badRequest(`Marker ${marker} could not be found.`);
  return listed;
}

/** One key pair. @throws ApiError 403 another user's, 404 */
export async function showKeypair(ctx: ActorContext, userId: string, name: string): Promise<KeypairRow> {
  authorize(ctx, policy, 'os_compute_api:os-keypairs:show', { userId });
  const [row] = await ctx.db
    .select()
    .from(keypairs)
    .where(named(ctx, userId, name));
  if (!row) throw keypairNotFound(name, userId);
  return row;
}

/** Forgets a key pair. Servers made with it keep the key. @throws ApiError 403 another user's, 404 */
export async function deleteKeypair(ctx: ActorContext, userId: string, name: string): Promise<void> {
  const action = 'os_compute_api:os-keypairs:delete';
  authorize(ctx, policy, action, { userId });
  const known = sql`EXISTS (SELECT 1 FROM keypairs WHERE region = ${ctx.region} AND user_id = ${userId} AND name = ${name})`;
  const change = {
    audit: { action, targetType: 'keypair', targetId: name, detail: { userId } },
    statements: [assertThat(ctx.db, 'known', known), ctx.db.delete(keypairs).where(named(ctx, userId, name))],
  };
  await commitOr(ctx, change, { known: () => keypairNotFound(name, userId) });
}
