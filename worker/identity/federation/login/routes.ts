import { Hono } from 'hono';
import type { AppContext, AppEnv } from '../../../http/context.ts';
import { unauthorized } from '../../../http/errors.ts';
import { answerToken } from '../../tokens/answer-token.ts';
import { claimsOfToken } from '../oidc/claims-of-token.ts';
import { logIn } from './log-in.ts';
import { webssoRoutes } from './websso-routes.ts';

const AUTH = '/OS-FEDERATION/identity_providers/:idp/protocols/:protocol/auth';

/** What needs no token, as it is how to get one. */
export const federatedLoginRoutes = new Hono<AppEnv>()
  .on(['GET', 'POST'], AUTH, async (c) => {
    const way = { idpId: c.req.param('idp'), protocolId: c.req.param('protocol') };
    const bearer = bearerOf(c);
    return answerToken(
      c,
      201,
      await logIn(c.get('ctx'), way, (provider) => claimsOfToken(c.get('ctx'), provider, bearer)),
    );
  })
  .route('/', webssoRoutes);

/** @throws ApiError 401 when the request shows no token of the provider's */
function bearerOf(c: AppContext): string {
  const [, token] = /^Bearer +(\S+) *$/i.exec(c.req.header('authorization') ?? '') ?? [];
  if (token === undefined) throw unauthorized();
  return token;
}
