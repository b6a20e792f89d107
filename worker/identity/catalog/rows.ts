import type { Database } from '../../../db/client.ts';
import {
  catalogEndpoints,
  catalogRegions,
  catalogServices,
  endpointGroups,
  projectEndpointGroups,
  projectEndpoints,
} from '../../../db/schema/catalog.ts';
import type { Context } from '../../http/context.ts';
import { revocationKey } from '../tokens/revocation.ts';
import { freshRevocations } from '../tokens/token-checker.ts';

/** Stored with every change of the catalog, so that every isolate reads it anew. */
export const CATALOG_CHANGED = { kind: 'catalog', subject: '' } as const;

const select = ({ db }: Context) =>
  db.batch([
    db.select().from(catalogServices),
    db.select().from(catalogEndpoints),
    db.select().from(catalogRegions),
    db.select().from(endpointGroups),
    db.select().from(projectEndpointGroups),
    db.select().from(projectEndpoints),
  ]);

/** All that operators added to the catalog. */
export async function readCatalogRows(ctx: Context) {
  const [services, endpoints, regions, groups, projectGroups, ofProjects] = await select(ctx);
  return { services, endpoints, regions, groups, projectGroups, projectEndpoints: ofProjects };
}
export type CatalogRows = Awaited<ReturnType<typeof readCatalogRows>>;

const known = new WeakMap<Database, { seq: number; rows: CatalogRows }>();

/**
 * The same as this isolate knows it: read once, and again when it has changed, which is known as soon as a revocation is.
 * @throws ApiError 503 when nothing was read yet, or too long ago, and the database does not answer
 */
export async function knownCatalogRows(ctx: Context): Promise<CatalogRows> {
  const seq = (await freshRevocations(ctx)).lastSeq(revocationKey(CATALOG_CHANGED));
  const before = known.get(ctx.db);
  if (before?.seq === seq) return before.rows;
  const rows = await readCatalogRows(ctx);
  known.set(ctx.db, { seq, rows });
  return rows;
}
