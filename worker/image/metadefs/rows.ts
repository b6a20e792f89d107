import type { metadefItems, metadefNamespaces } from '../../../db/schema/metadefs.ts';

export type NamespaceRow = typeof metadefNamespaces.$inferSelect;
export type ItemRow = typeof metadefItems.$inferSelect;
export type ItemKind = ItemRow['kind'];
