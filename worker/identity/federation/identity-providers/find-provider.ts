import { eq, getTableColumns, type SQL, sql } from 'drizzle-orm';
import type { Database } from '../../../../db/client.ts';
import { identityProviderRemoteIds, identityProviders } from '../../../../db/schema/federation.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { missing } from '../names.ts';

export type ProviderRow = typeof identityProviders.$inferSelect & { remoteIds: string[] };

/** Identity providers with what they call themselves. */
export const selectProviders = (db: Database, where: SQL | undefined) =>
  db
    .select({
      ...getTableColumns(identityProviders),
      remoteIds: sql<string[]>`(SELECT json_group_array(remote_id) FROM (
        SELECT ${identityProviderRemoteIds.remoteId} FROM ${identityProviderRemoteIds}
        WHERE ${identityProviderRemoteIds.idpId} = ${identityProviders.id} ORDER BY 1))`.mapWith(JSON.parse),
    })
    .from(identityProviders)
    .where(where);

/** The same in a list by id. */
export const listProviders = (db: Database, where: SQL | undefined) =>
  selectProviders(db, where).orderBy(identityProviders.id);

/** @throws ApiError 403, 404 */
export async function showProvider(ctx: ActorContext, id: string): Promise<ProviderRow> {
  authorize(ctx, 'identity:get_identity_provider');
  return findProvider(ctx, id);
}

/** @throws ApiError 404 */
export async function findProvider({ db }: { db: Database }, id: string): Promise<ProviderRow> {
  const [provider] = await selectProviders(db, eq(identityProviders.id, id));
  if (!provider) throw missing('identity_provider', id);
  return provider;
}
