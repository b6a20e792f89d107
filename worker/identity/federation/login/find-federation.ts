import { eq } from 'drizzle-orm';
import { federationMappings, federationProtocols, identityProviders } from '../../../../db/schema/federation.ts';
import type { Context } from '../../../http/context.ts';
import { forbiddenAction } from '../../http/forbidden-action.ts';
import type { Federation } from '../../tokens/token.ts';
import { type ProviderRow, selectProviders } from '../identity-providers/find-provider.ts';
import type { MappingRow } from '../mappings/save-mapping.ts';
import { missing, missingProtocol } from '../names.ts';
import { type ProtocolRow, protocolIs } from '../protocols/find-protocol.ts';

/** By which a log-in elsewhere is taken for one here. */
export interface FederationRows {
  provider: ProviderRow;
  protocol: ProtocolRow;
  mapping: MappingRow;
}

/** @throws ApiError 403 (the identity provider is disabled), 404 (there is no such provider, protocol or mapping) */
export async function findFederation(
  { db }: Context,
  { idpId, protocolId }: Pick<Federation, 'idpId' | 'protocolId'>,
): Promise<FederationRows> {
  const [[provider], [found]] = await db.batch([
    selectProviders(db, eq(identityProviders.id, idpId)),
    db
      .select({ protocol: federationProtocols, mapping: federationMappings })
      .from(federationProtocols)
      .leftJoin(federationMappings, eq(federationMappings.id, federationProtocols.mappingId))
      .where(protocolIs(idpId, protocolId)),
  ]);
  if (!provider) throw missing('identity_provider', idpId);
  if (!provider.enabled) throw forbiddenAction();
  if (!found) throw missingProtocol(idpId, protocolId);
  if (!found.mapping) throw missing('mapping', found.protocol.mappingId);
  return { provider, protocol: found.protocol, mapping: found.mapping };
}

/** Whether a token by a log-in elsewhere may still be exchanged for another. @throws ApiError 403, 404 */
export async function requireFederation(ctx: Context, federation: Federation): Promise<void> {
  await findFederation(ctx, federation);
}
