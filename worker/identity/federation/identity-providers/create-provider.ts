import { sql } from 'drizzle-orm';
import { identityProviderRemoteIds, identityProviders } from '../../../../db/schema/federation.ts';
import { domains } from '../../../../db/schema/identity.ts';
import { AssertionFailed, assertThat, ConstraintFailed, commit } from '../../../http/commit.ts';
import type { ActorContext } from '../../../http/context.ts';
import { missing as missingDomain } from '../../http/names.ts';
import { authorize } from '../../policy.ts';
import { seal } from '../../sealed.ts';
import { duplicate, taken } from '../names.ts';
import { secretPurpose } from '../oidc/settings.ts';
import type { ProviderToCreate } from './body.ts';
import { findProvider, type ProviderRow } from './find-provider.ts';

/**
 * An identity provider, with a domain of its own for its users when none is named.
 * @throws ApiError 403, 404 (no such domain), 409 (it, or one of its remote ids, is known already)
 */
export async function createProvider(
  ctx: ActorContext,
  { id, remoteIds, oidc, ...input }: { id: string } & ProviderToCreate,
): Promise<ProviderRow> {
  authorize(ctx, 'identity:create_identity_provider');
  const { db } = ctx;
  const domainId = input.domainId ?? ctx.ids.hex();
  const description = `Auto generated federated domain for Identity Provider: ${id}`;
  const secret = oidc?.clientSecret;
  const clientSecretSealed = secret ? await seal(ctx, secretPurpose(id), secret) : null;
  const place =
    input.domainId === null
      ? db.insert(domains).values({ id: domainId, name: domainId, description })
      : assertThat(db, 'domain-exists', sql`EXISTS (SELECT 1 FROM domains WHERE id = ${domainId})`);
  try {
    await commit(ctx, {
      audit: {
        action: 'identity:create_identity_provider',
        targetType: 'identity_provider',
        targetId: id,
        detail: { domainId, remoteIds, issuer: oidc?.settings.issuer ?? null },
      },
      statements: [
        place,
        db
          .insert(identityProviders)
          .values({ ...input, id, domainId, oidc: oidc?.settings ?? null, clientSecretSealed }),
        ...remoteIds.map((remoteId) => db.insert(identityProviderRemoteIds).values({ remoteId, idpId: id })),
      ],
    });
  } catch (error) {
    if (error instanceof AssertionFailed) throw missingDomain('domain', domainId);
    throw conflictOf(error, id, remoteIds);
  }
  return findProvider(ctx, id);
}

/** What a constraint of the tables means to who asked. */
export function conflictOf(error: unknown, id: string, remoteIds: readonly string[]): unknown {
  if (!(error instanceof ConstraintFailed) || error.constraint === '') return error;
  if (error.constraint.includes('remote_id')) {
    return taken('identity_provider', `Duplicate remote ID: ${remoteIds.join(', ')}`);
  }
  return duplicate('identity_provider', id);
}
