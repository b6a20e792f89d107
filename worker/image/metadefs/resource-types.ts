import { eq } from 'drizzle-orm';
import { metadefItems, metadefResourceTypes } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { authorizeImage } from '../policy.ts';
import { findNamespace, refuseProtected, stillUnprotected } from './find-namespace.ts';
import { insertItems, isItem, itemFault } from './item-statements.ts';
import { listItems } from './list-items.ts';
import type { ItemRow } from './rows.ts';

/** Heat's names of what OpenStack's own definitions are for. */
const WELL_KNOWN = [
  'OS::Glance::Image',
  'OS::Cinder::Volume',
  'OS::Nova::Flavor',
  'OS::Nova::Aggregate',
  'OS::Nova::Server',
  'OS::Trove::Instance',
];

export interface ResourceType {
  name: string;
  /** Null for a well-known one that nobody used yet. */
  createdAtMs: number | null;
  updatedAtMs: number | null;
}

/** All types of resources: the well-known ones, and those that namespaces are or were for. @throws ApiError 403 */
export async function listResourceTypes(ctx: ActorContext): Promise<ResourceType[]> {
  authorizeImage(ctx, 'list_metadef_resource_types');
  const used = await ctx.db.select().from(metadefResourceTypes).where(eq(metadefResourceTypes.region, ctx.region));
  const unused = WELL_KNOWN.filter((name) => !used.some((one) => one.name === name));
  return [...unused.map((name) => ({ name, createdAtMs: null, updatedAtMs: null })), ...used];
}

/** The types of resources that a namespace is for. @throws ApiError 403, 404 */
export const listAssociations = (ctx: ActorContext, namespace: string): Promise<ItemRow[]> =>
  listItems(ctx, { kind: 'resource_type', list: 'list_metadef_resource_types' }, namespace);

/** Says that a namespace is for a type of resources. @throws ApiError 403, 404; 409 it is; 413 too many */
export async function associate(
  ctx: ActorContext,
  namespace: string,
  { name, ...body }: { name: string },
): Promise<ItemRow> {
  const row = await findNamespace(ctx, namespace, 'add_metadef_resource_type_association');
  const item = { kind: 'resource_type' as const, name, body };
  try {
    await commit(ctx, {
      audit: {
        ...{ action: 'metadef.resource_type.associate', targetType: 'metadef_namespace', targetId: row.id },
        detail: { name },
      },
      statements: insertItems(ctx, row.id, [item]),
    });
  } catch (error) {
    throw itemFault(
      error,
      `The metadata definition resource-type association of resource-type=${name} to namespace=${namespace} already exists.`,
    );
  }
  const nowMs = ctx.clock.nowMs();
  return { ...item, namespaceId: row.id, createdAtMs: nowMs, updatedAtMs: nowMs };
}

/** Says that it no longer is. @throws ApiError 403 not allowed, or protected; 404 */
export async function dissociate(ctx: ActorContext, namespace: string, name: string): Promise<void> {
  const row = await findNamespace(ctx, namespace, 'remove_metadef_resource_type_association');
  const [item] = await ctx.db
    .select()
    .from(metadefItems)
    .where(isItem(row.id, 'resource_type', name));
  if (!item) throw notFound(`Failed to find resource type ${name} to delete`);
  refuseProtected(row, `resource-type-association ${name}`);
  await commit(ctx, {
    audit: {
      ...{ action: 'metadef.resource_type.dissociate', targetType: 'metadef_namespace', targetId: row.id },
      detail: { name },
    },
    statements: [stillUnprotected(ctx, row), ctx.db.delete(metadefItems).where(isItem(row.id, 'resource_type', name))],
  });
}
