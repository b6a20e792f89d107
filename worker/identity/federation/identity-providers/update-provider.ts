import { eq, sql } from 'drizzle-orm';
import { identityProviderRemoteIds, identityProviders } from '../../../../db/schema/federation.ts';
import { AssertionFailed, assertThat, commit } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { authorize } from '../../policy.ts';
import { seal } from '../../sealed.ts';
import { missing } from '../names.ts';
import { type OidcInput, secretPurpose } from '../oidc/settings.ts';
import type { ProviderToUpdate } from './body.ts';
import { conflictOf } from './create-provider.ts';
import { findProvider, type ProviderRow } from './find-provider.ts';

/** @throws ApiError 403, 404, 409 (a remote id is another's) */
export async function updateProvider(
  ctx: ActorContext,
  { id, change, remoteIds, oidc }: { id: string } & ProviderToUpdate,
): Promise<ProviderRow> {
  authorize(ctx, 'identity:update_identity_provider');
  const { db } = ctx;
  const changed = [
    ...Object.keys(change),
    ...(remoteIds ? ['remoteIds'] : []),
    ...(oidc === undefined ? [] : ['oidc']),
  ];
  const set = { ...change, ...(await oidcColumns(ctx, id, oidc)) };
  const own = eq(identityProviderRemoteIds.idpId, id);
  try {
    await commit(ctx, {
      audit: {
        action: 'identity:update_identity_provider',
        targetType: 'identity_provider',
        targetId: id,
        detail: { changed },
      },
      statements: [
        assertThat(db, 'is-there', sql`EXISTS (SELECT 1 FROM identity_providers WHERE id = ${id})`),
        ...(Object.keys(set).length > 0
          ? [db.update(identityProviders).set(set).where(eq(identityProviders.id, id))]
          : []),
        ...(remoteIds ? [db.delete(identityProviderRemoteIds).where(own)] : []),
        ...(remoteIds ?? []).map((remoteId) => db.insert(identityProviderRemoteIds).values({ remoteId, idpId: id })),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw missing('identity_provider', id);
    throw conflictOf(error, id, remoteIds ?? []);
  }
  return findProvider(ctx, id);
}

async function oidcColumns(ctx: ActorContext, id: string, oidc: OidcInput | null | undefined) {
  if (oidc === undefined) return {};
  if (oidc === null) return { oidc: null, clientSecretSealed: null };
  const { settings, clientSecret } = oidc;
  if (clientSecret === undefined) return { oidc: settings };
  return {
    oidc: settings,
    clientSecretSealed: clientSecret === null ? null : await seal(ctx, secretPurpose(id), clientSecret),
  };
}
