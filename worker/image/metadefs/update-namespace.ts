import { eq } from 'drizzle-orm';
import { metadefNamespaces } from '../../../db/schema/metadefs.ts';
import { commit } from '../../http/commit.ts';
import type { ActorContext } from '../../http/context.ts';
import type { NamespaceBody } from './bodies.ts';
import { baseOf } from './create-namespace.ts';
import { findNamespace } from './find-namespace.ts';
import { itemFault } from './item-statements.ts';
import type { NamespaceRow } from './rows.ts';

/** Replaces what is said of a namespace; what it holds stays. @throws ApiError 403, 404; 409 the new name is taken */
export async function updateNamespace(ctx: ActorContext, name: string, body: NamespaceBody): Promise<NamespaceRow> {
  const row = await findNamespace(ctx, name, 'modify_metadef_namespace');
  const set = { name: body.namespace, ...baseOf(ctx, body), updatedAtMs: ctx.clock.nowMs() };
  try {
    await commit(ctx, {
      audit: { action: 'metadef.namespace.update', targetType: 'metadef_namespace', targetId: row.id },
      statements: [ctx.db.update(metadefNamespaces).set(set).where(eq(metadefNamespaces.id, row.id))],
    });
  } catch (error) {
    throw itemFault(
      error,
      `Invalid update. It would result in a duplicate metadata definition namespace with the same name of ${set.name}`,
    );
  }
  return { ...row, ...set };
}
