import { and, eq, type SQL, sql } from 'drizzle-orm';
import { metadefItems, metadefResourceTypes } from '../../../db/schema/metadefs.ts';
import { AssertionFailed, assertThat, ConstraintFailed, type Statement } from '../../http/commit.ts';
import type { Context } from '../../http/context.ts';
import { type ApiError, conflict, tooLarge } from '../../http/errors.ts';
import { METADEF_ITEMS_MAX } from '../limits.ts';
import type { ItemKind } from './rows.ts';

/** One of what a namespace holds, as it is written. */
export interface NewItem {
  kind: ItemKind;
  name: string;
  body: Record<string, unknown>;
}

export const isItem = (namespaceId: string, kind: ItemKind, name: string): SQL | undefined =>
  and(eq(metadefItems.namespaceId, namespaceId), eq(metadefItems.kind, kind), eq(metadefItems.name, name));

/** Writes items of a namespace; types of resources become known by it. */
export function insertItems(ctx: Context, namespaceId: string, items: NewItem[]): Statement[] {
  const nowMs = ctx.clock.nowMs();
  const times = { createdAtMs: nowMs, updatedAtMs: nowMs };
  const types = items.filter((item) => item.kind === 'resource_type');
  const room = sql`(SELECT count(*) FROM metadef_items WHERE metadef_items.namespace_id = ${namespaceId}) <= ${METADEF_ITEMS_MAX}`;
  return [
    ...types.map(({ name }) =>
      ctx.db
        .insert(metadefResourceTypes)
        .values({ region: ctx.region, name, ...times })
        .onConflictDoNothing(),
    ),
    ...items.map((item) => ctx.db.insert(metadefItems).values({ ...item, namespaceId, ...times })),
    assertThat(ctx.db, 'items-left', room),
  ];
}

/** The refusal that a failed batch of items means; any other error as it is. @param duplicate - its message */
export function itemFault(error: unknown, duplicate: string): ApiError | unknown {
  if (error instanceof ConstraintFailed && error.constraint !== '') return conflict(duplicate);
  if (error instanceof AssertionFailed && error.assertion === 'items-left') {
    return tooLarge(`A metadata definition namespace holds at most ${METADEF_ITEMS_MAX} definitions.`);
  }
  return error;
}
