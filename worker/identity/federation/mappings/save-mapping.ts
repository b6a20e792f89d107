import { asc, eq } from 'drizzle-orm';
import { federationMappings } from '../../../../db/schema/federation.ts';
import { ConstraintFailed, commit } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { duplicate, missing } from '../names.ts';
import type { MappingInput } from './body.ts';

export type MappingRow = typeof federationMappings.$inferSelect;
type Input = { id: string } & MappingInput;

/** @throws ApiError 403, 404 */
export async function showMapping(ctx: ActorContext, id: string): Promise<MappingRow> {
  authorize(ctx, 'identity:get_mapping');
  const [mapping] = await ctx.db.select().from(federationMappings).where(eq(federationMappings.id, id));
  if (!mapping) throw missing('mapping', id);
  return mapping;
}

/** @throws ApiError 403 */
export async function listMappings(ctx: ActorContext): Promise<MappingRow[]> {
  authorize(ctx, 'identity:list_mappings');
  return ctx.db.select().from(federationMappings).orderBy(asc(federationMappings.id));
}

/** @throws ApiError 403, 409 */
export async function createMapping(ctx: ActorContext, input: Input): Promise<MappingRow> {
  authorize(ctx, 'identity:create_mapping');
  const [rows] = await commit(ctx, {
    audit: { action: 'identity:create_mapping', targetType: 'mapping', targetId: input.id },
    statements: [ctx.db.insert(federationMappings).values(input).returning()],
  }).catch((error: unknown) => {
    throw error instanceof ConstraintFailed ? duplicate('mapping', input.id) : error;
  });
  return (rows as MappingRow[])[0] as MappingRow;
}

/** @throws ApiError 403, 404 */
export async function updateMapping(ctx: ActorContext, { id, ...input }: Input): Promise<MappingRow> {
  authorize(ctx, 'identity:update_mapping');
  const [rows] = await commit(ctx, {
    audit: { action: 'identity:update_mapping', targetType: 'mapping', targetId: id },
    statements: [ctx.db.update(federationMappings).set(input).where(eq(federationMappings.id, id)).returning()],
  });
  const [mapping] = rows as MappingRow[];
  if (!mapping) throw missing('mapping', id);
  return mapping;
}

/** Protocols that name it stay, and let nobody in. @throws ApiError 403, 404 */
export async function deleteMapping(ctx: ActorContext, id: string): Promise<void> {
  authorize(ctx, 'identity:delete_mapping');
  const [rows] = await commit(ctx, {
    audit: { action: 'identity:delete_mapping', targetType: 'mapping', targetId: id },
    statements: [ctx.db.delete(federationMappings).where(eq(federationMappings.id, id)).returning()],
  });
  if ((rows as MappingRow[]).length === 0) throw missing('mapping', id);
}
