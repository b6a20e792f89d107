import { and, asc, eq } from 'drizzle-orm';
import { z } from 'zod';
import { policies } from '../../../db/schema/catalog.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { given } from '../../http/given.ts';
import { extraOf, fits, merged, TOO_MUCH } from '../http/attributes.ts';
import { afterMarker, type Page } from '../http/collection.ts';
import { textFilters } from '../http/filters.ts';
import { missing } from '../http/names.ts';
import { authorize } from '../policy.ts';

export type PolicyRow = typeof policies.$inferSelect;

const BLOB_CHARS_MAX = 64 * 1024;
const TYPE_CHARS_MAX = 255;
const KNOWN = ['blob', 'type', 'id', 'links'];

const blob = z.string().max(BLOB_CHARS_MAX, `it is longer than ${BLOB_CHARS_MAX} characters`);
const type = z.string().max(TYPE_CHARS_MAX);
/** Without the blob, which has its own limit. */
const small = ({ blob: _, ...rest }: Record<string, unknown>) => fits(rest);

/** `policy` of a POST. */
export const policyToCreate = z
  .looseObject({ blob, type })
  .refine(small, TOO_MUCH)
  .transform((input) => ({ blob: input.blob, type: input.type, ...given({ extra: extraOf(input, KNOWN) }) }));

/** `policy` of a PATCH. */
export const policyToUpdate = z
  .looseObject({ blob: blob.optional(), type: type.optional(), id: z.string().optional() })
  .refine((input) => Object.keys(input).length > 0, 'there is nothing to change')
  .refine(small, TOO_MUCH)
  .transform((input) => ({
    ...given({ id: input.id }),
    change: given({ blob: input.blob, type: input.type, extra: extraOf(input, KNOWN) }),
  }));

/** @throws ApiError 403 */
export async function listPolicies(
  ctx: ActorContext,
  { query, page }: { query: URLSearchParams; page: Page },
): Promise<PolicyRow[]> {
  authorize(ctx, 'identity:list_policies');
  return ctx.db
    .select()
    .from(policies)
    .where(and(...textFilters(query, 'type', policies.type), afterMarker(policies.id, page)))
    .orderBy(asc(policies.id))
    .limit(page.limit + 1);
}

/** @throws ApiError 403, 404 */
export async function findPolicy(
  ctx: ActorContext,
  id: string,
  action: 'identity:get_policy' | 'identity:update_policy' | 'identity:delete_policy' = 'identity:get_policy',
): Promise<PolicyRow> {
  authorize(ctx, action);
  const [row] = await ctx.db.select().from(policies).where(eq(policies.id, id));
  if (!row) throw missing('policy', id);
  return row;
}

/** @throws ApiError 403 */
export async function createPolicy(ctx: ActorContext, input: z.infer<typeof policyToCreate>): Promise<PolicyRow> {
  const action = 'identity:create_policy';
  authorize(ctx, action);
  const id = ctx.ids.hex();
  const [rows] = await commit(ctx, {
    audit: { action, targetType: 'policy', targetId: id, detail: { type: input.type } },
    statements: [
      ctx.db
        .insert(policies)
        .values({ ...input, id })
        .returning(),
    ],
  });
  return (rows as PolicyRow[])[0] as PolicyRow;
}

/** @throws ApiError 400, 403, 404 */
export async function updatePolicy(
  ctx: ActorContext,
  id: string,
  { id: bodyId, change }: z.infer<typeof policyToUpdate>,
): Promise<PolicyRow> {
  const action = 'identity:update_policy';
  const row = await findPolicy(ctx, id, action);
  if (bodyId !== undefined && bodyId !== id) throw badRequest('Cannot change policy ID');
  const update = ctx.db
    .update(policies)
    .set({ ...change, extra: merged(row.extra, change.extra) })
    .where(eq(policies.id, id))
    .returning();
  const audit = { action, targetType: 'policy', targetId: id, detail: { changed: Object.keys(change) } };
  const [rows] = await commit(ctx, { audit, statements: [update] });
  const updated = (rows as PolicyRow[])[0];
  if (!updated) throw missing('policy', id);
  return updated;
}

/** @throws ApiError 403, 404 */
export async function deletePolicy(ctx: ActorContext, id: string): Promise<void> {
  const action = 'identity:delete_policy';
  await findPolicy(ctx, id, action);
  const statements = [ctx.db.delete(policies).where(eq(policies.id, id))];
  await commit(ctx, { audit: { action, targetType: 'policy', targetId: id }, statements });
}
