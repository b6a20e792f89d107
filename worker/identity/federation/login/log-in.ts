import type { Context } from '../../../http/context.ts';
import { serviceUnavailable, unauthorized } from '../../../http/errors.ts';
import { forbiddenAction } from '../../http/forbidden-action.ts';
import { issueToken } from '../../tokens/issue-token.ts';
import type { Token } from '../../tokens/token.ts';
import { type Assertion, evaluate, NotMapped } from '../mapping/evaluate.ts';
import { rules, type SchemaVersion } from '../mapping/rules.ts';
import { assertionOf, type Claims } from '../oidc/claims.ts';
import type { OidcProvider } from '../oidc/client.ts';
import { ProviderFault, TokenRefused } from '../oidc/provider-fault.ts';
import { type FederationRows, findFederation } from './find-federation.ts';
import { findLocalUser } from './find-local-user.ts';
import { saveUser } from './save-user.ts';

/** Where the provider's own name stands among the claims, when a protocol does not say otherwise. */
const REMOTE_ID_ATTRIBUTE = 'HTTP_OIDC_ISS';
const RETRY_AFTER_S = 5;

/** By which identity provider, and how, somebody logs in. */
export interface Way {
  idpId: string;
  protocolId: string;
}

/**
 * Logs somebody in of whom an identity provider says who it is.
 * @param prove - has the provider say it
 * @returns an unscoped token and its text
 * @throws ApiError 401, 403 (disabled, or another provider's word), 404, 409, 503 (the provider does not answer)
 */
export async function logIn(
  ctx: Context,
  way: Way,
  prove: (provider: OidcProvider) => Promise<Claims>,
): Promise<{ text: string; token: Token }> {
  const by = await findFederation(ctx, way);
  const { idpId, protocolId } = way;
  try {
    const assertion = assertionOf(await prove(oidcOf(by)));
    requireRemoteId(by, assertion);
    const mapped = evaluate(rules.parse(by.mapping.rules), by.mapping.schemaVersion as SchemaVersion, assertion);
    const scope = { type: 'default' } as const;
    if (mapped.user.type === 'local') {
      const userId = await findLocalUser(ctx, by, mapped);
      return await issueToken(ctx, { proven: { userId, method: protocolId }, scope });
    }
    const { userId, groupIds } = await saveUser(ctx, by, { mapped, remoteUser: assertion.REMOTE_USER?.[0] });
    const federation = { idpId, protocolId, groupIds };
    return await issueToken(ctx, { proven: { userId, method: protocolId, federation }, scope });
  } catch (error) {
    throw told(ctx, way, error);
  }
}

/** What of a fault is told to whom it keeps out; the log has the rest. */
export function told(ctx: Context, way: Partial<Way>, error: unknown): unknown {
  if (error instanceof ProviderFault) {
    ctx.log.error('identity-provider-fault', { ...way, error: error.message });
    return serviceUnavailable('The identity provider does not answer as it should. Try again.', RETRY_AFTER_S);
  }
  if (!(error instanceof TokenRefused || error instanceof NotMapped)) return error;
  ctx.log.info('federated-login-refused', { ...way, reason: error.message });
  return unauthorized();
}

/** @throws TokenRefused when the operator has not said how to speak with it */
export function oidcOf({ provider }: FederationRows): OidcProvider {
  const { id, oidc, clientSecretSealed } = provider;
  if (!oidc) throw new TokenRefused('the identity provider has no oidc settings');
  return { id, oidc, clientSecretSealed };
}

/** @throws ApiError 403 when the provider is none of those that the operator listed, TokenRefused when it does not say */
function requireRemoteId({ provider, protocol }: FederationRows, assertion: Assertion): void {
  if (provider.remoteIds.length === 0) return;
  const attribute = protocol.remoteIdAttribute || REMOTE_ID_ATTRIBUTE;
  const [said] = Object.hasOwn(assertion, attribute) ? (assertion[attribute] ?? []) : [];
  if (said === undefined) throw new TokenRefused(`there is no ${attribute} among the claims`);
  if (!provider.remoteIds.includes(said)) throw forbiddenAction();
}
