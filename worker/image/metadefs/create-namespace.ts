import { metadefNamespaces } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { ImageAction } from '../policy.ts';
import { authorizeImage } from '../policy.ts';
import type { NamespaceBody } from './bodies.ts';
import { insertItems, itemFault, type NewItem } from './item-statements.ts';
import type { NamespaceRow } from './rows.ts';

/**
 * Makes a namespace with all that it holds.
 * @throws ApiError 403; 409 the name is taken, or one of what it holds is there twice; 413 too many of them
 */
export async function createNamespace(ctx: ActorContext, body: NamespaceBody): Promise<NamespaceRow> {
  for (const action of actionsOf(body)) authorizeImage(ctx, action);
  const nowMs = ctx.clock.nowMs();
  const row: NamespaceRow = {
    id: ctx.ids.uuid(),
    region: ctx.region,
    name: body.namespace,
    ...baseOf(ctx, body),
    createdAtMs: nowMs,
    updatedAtMs: nowMs,
  };
  try {
    await commit(ctx, {
      audit: { action: 'metadef.namespace.create', targetType: 'metadef_namespace', targetId: row.id },
      statements: [ctx.db.insert(metadefNamespaces).values(row), ...insertItems(ctx, row.id, itemsOf(body))],
    });
  } catch (error) {
    throw itemFault(error, `The metadata definition namespace=${row.name} already exists.`);
  }
  return row;
}

/** What a body says of the namespace itself; what it leaves out is as in a new one. */
export function baseOf(ctx: ActorContext, body: NamespaceBody) {
  return {
    displayName: body.display_name ?? null,
    description: body.description ?? null,
    visibility: body.visibility ?? ('private' as const),
    protected: body.protected ?? false,
    projectId: body.owner ?? ctx.actor.projectId,
  };
}

function actionsOf(body: NamespaceBody): ImageAction[] {
  return [
    'add_metadef_namespace',
    ...(body.resource_type_associations ? (['add_metadef_resource_type_association'] as const) : []),
    ...(body.objects ? (['add_metadef_object'] as const) : []),
    ...(body.properties ? (['add_metadef_property'] as const) : []),
    ...(body.tags ? (['add_metadef_tag'] as const) : []),
  ];
}

function itemsOf(body: NamespaceBody): NewItem[] {
  const named = (kind: NewItem['kind'], all: { name: string }[] = []): NewItem[] =>
    all.map(({ name, ...rest }) => ({ kind, name, body: rest }));
  return [
    ...named('resource_type', body.resource_type_associations),
    ...named('object', body.objects),
    ...named('tag', body.tags),
    ...Object.entries(body.properties ?? {}).map(([name, property]) => ({
      kind: 'property' as const,
      name,
      body: property,
    })),
  ];
}
