import { asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { oauthConsumers } from '../../../db/schema/delegation.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { given } from '../../http/given.ts';
import { description, extraOf, fits, merged, TOO_MUCH } from '../http/attributes.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';
import { seal } from '../sealed.ts';

export type ConsumerRow = typeof oauthConsumers.$inferSelect;

const KNOWN = ['description', 'id', 'links', 'secret'];

/** `consumer` of a POST or PATCH. */
export const consumerBody = z
  .looseObject({ description: description.optional(), id: z.string().optional() })
  .refine(fits, TOO_MUCH)
  .transform((input) => ({
    ...given({ id: input.id }),
    secretGiven: 'secret' in input,
    change: given({ description: input.description, extra: extraOf(input, KNOWN) }),
  }));
export type ConsumerBody = z.infer<typeof consumerBody>;

/** @throws ApiError 403 */
export async function listConsumers(ctx: ActorContext, page: Page): Promise<ConsumerRow[]> {
  authorize(ctx, 'identity:list_consumers');
  return ctx.db
    .select()
    .from(oauthConsumers)
    .where(afterMarker(oauthConsumers.id, page))
    .orderBy(asc(oauthConsumers.id))
    .limit(page.limit + 1);
}

/** @throws ApiError 403, 404 */
export async function findConsumer(
  ctx: ActorContext,
  id: string,
  action: 'identity:get_consumer' | 'identity:update_consumer' | 'identity:delete_consumer' = 'identity:get_consumer',
): Promise<ConsumerRow> {
  authorize(ctx, action);
  const [row] = await ctx.db.select().from(oauthConsumers).where(eq(oauthConsumers.id, id));
  if (!row) throw missing('consumer', id);
  return row;
}

/** @returns the consumer, and its secret, which is shown once @throws ApiError 403 */
export async function createConsumer(
  ctx: ActorContext,
  { change }: ConsumerBody,
): Promise<{ row: ConsumerRow; secret: string }> {
  const action = 'identity:create_consumer';
  authorize(ctx, action);
  const [id, secret] = [ctx.ids.hex(), ctx.ids.hex()];
  const secretSealed = await seal(ctx, 'oauth consumer', secret);
  const [rows] = await commit(ctx, {
    audit: { action, targetType: 'consumer', targetId: id },
    statements: [
      ctx.db
        .insert(oauthConsumers)
        .values({ ...change, id, secretSealed })
        .returning(),
    ],
  });
  return { row: (rows as ConsumerRow[])[0] as ConsumerRow, secret };
}

/** @throws ApiError 400, 403, 404 */
export async function updateConsumer(
  ctx: ActorContext,
  id: string,
  { id: bodyId, secretGiven, change }: ConsumerBody,
): Promise<ConsumerRow> {
  const action = 'identity:update_consumer';
  const row = await findConsumer(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change consumer ID');
  if (secretGiven) throw badRequest('Cannot change consumer secret');
  const update = ctx.db
    .update(oauthConsumers)
    .set({ ...change, extra: merged(row.extra, change.extra) })
    .where(eq(oauthConsumers.id, id))
    .returning();
  const audit = { action, targetType: 'consumer', targetId: id, detail: { changed: Object.keys(change) } };
  const [rows] = await commit(ctx, { audit, statements: [update] });
  const updated = (rows as ConsumerRow[])[0];
  if (!updated) throw missing('consumer', id);
  return updated;
}

/** @throws ApiError 403, 404 */
export async function deleteConsumer(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_consumer';
  await findConsumer(ctx, id, action);
  const statements = [ctx.db.delete(oauthConsumers).where(eq(oauthConsumers.id, id))];
  await commit(ctx, { audit: { action, targetType: 'consumer', targetId: id }, statements });
}
