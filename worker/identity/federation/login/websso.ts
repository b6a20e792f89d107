import { and, asc, eq, isNotNull } from 'drizzle-orm';
import { z } from 'zod';
import { federationProtocols, identityProviders } from '../../../../db/schema/federation.ts';
import type { Context } from '../../../http/context.ts';
import { badRequest, unauthorized } from '../../../http/errors.ts';
import { seal, unseal } from '../../sealed.ts';
import { authorizationUrl, claimsOfCode } from '../oidc/code-flow.ts';
import { TokenRefused } from '../oidc/provider-fault.ts';
import { findFederation } from './find-federation.ts';
import { logIn, oidcOf, told, type Way } from './log-in.ts';

/** How long somebody may take to log in at the provider. */
export const WEBSSO_LIFE_S = 600;
const PURPOSE = 'websso';

/** What the browser brings back in its cookie. */
const journey = z.object({
  state: z.string(),
  idpId: z.string(),
  protocolId: z.string(),
  origin: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  endsAtMs: z.number(),
});
type Journey = z.infer<typeof journey>;

/**
 * The dashboard that a browser comes from, if it may be handed a token.
 * @throws ApiError 400 (none is named), 401 (the operator does not trust it)
 */
export function trustedOrigin(ctx: Context, origin: string | null): string {
  if (!origin) throw badRequest('Request must have an origin query parameter');
  const trusted = (ctx.env.TRUSTED_DASHBOARDS ?? '').split(',').filter(Boolean);
  if (!trusted.map(withLowerHost).includes(withLowerHost(origin))) {
    ctx.log.info('federated-login-refused', { origin, reason: 'it is not a trusted dashboard' });
    throw unauthorized();
  }
  return origin;
}

const withLowerHost = (url: string): string => url.replace(/^https?:\/\/[^/?#]*/i, (start) => start.toLowerCase());

/** The ways to log in by a protocol. */
export async function waysOf({ db }: Context, protocolId: string): Promise<Way[]> {
  return db
    .select({ idpId: federationProtocols.idpId, protocolId: federationProtocols.id })
    .from(federationProtocols)
    .innerJoin(identityProviders, eq(identityProviders.id, federationProtocols.idpId))
    .where(
      and(
        eq(federationProtocols.id, protocolId),
        eq(identityProviders.enabled, true),
        isNotNull(identityProviders.oidc),
      ),
    )
    .orderBy(asc(federationProtocols.idpId));
}

/**
 * Begins a log-in by browser.
 * @returns where to send the browser, and what it must bring back
 * @throws ApiError 401, 403, 404, 503
 */
export async function beginWebsso(
  ctx: Context,
  way: Way,
  origin: string,
): Promise<{ url: string; state: string; sealed: string }> {
  const { ids, clock } = ctx;
  const secret = () => ids.hex() + ids.hex();
  const begun: Journey = {
    ...way,
    origin,
    state: ids.hex(),
    nonce: secret(),
    verifier: secret(),
    endsAtMs: clock.nowMs() + WEBSSO_LIFE_S * 1000,
  };
  try {
    const url = await authorizationUrl(ctx, oidcOf(await findFederation(ctx, way)), begun);
    return { url, state: begun.state, sealed: await seal(ctx, PURPOSE, JSON.stringify(begun)) };
  } catch (error) {
    throw told(ctx, way, error);
  }
}

/**
 * Ends a log-in by browser, when the provider has sent it back.
 * @returns the token's text, and the dashboard that it is for
 * @throws ApiError 401, 403, 404, 409, 503
 */
export async function endWebsso(
  ctx: Context,
  back: { sealed: string; state: string; code: string | null; error: string | null },
): Promise<{ origin: string; text: string }> {
  const opened = await unseal(ctx, PURPOSE, back.sealed);
  const { data: begun } = journey.safeParse(opened === undefined ? undefined : JSON.parse(opened));
  if (!begun || begun.state !== back.state || begun.endsAtMs <= ctx.clock.nowMs()) throw unauthorized();
  const { idpId, protocolId } = begun;
  const { code } = back;
  if (code === null) {
    const reason = `the identity provider sent the browser back without a code: ${(back.error ?? '').slice(0, 200)}`;
    throw told(ctx, { idpId, protocolId }, new TokenRefused(reason));
  }
  const origin = trustedOrigin(ctx, begun.origin);
  const { text } = await logIn(ctx, { idpId, protocolId }, (provider) =>
    claimsOfCode(ctx, provider, { code, nonce: begun.nonce, verifier: begun.verifier }),
  );
  return { origin, text };
}
