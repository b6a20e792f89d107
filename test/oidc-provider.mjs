/**
 * A real OpenID Connect provider on this machine: npm's `oidc-provider` with a few people and two clients. Whoever they
 * are, the password is their name backwards.
 * Environment: PORT, REDIRECT_URIS (divided by commas).
 */

import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const PEOPLE = {
  ann: { groups: ['developers', 'chess'], name: 'Ann Other', email: 'ann@example.org' },
  bob: { groups: ['chess'], name: 'Bob Minor', email: 'bob@example.org' },
};
const { PORT, REDIRECT_URIS = '' } = process.env;
const client = {
  client_secret: 'hush: it is & secret',
  grant_types: ['authorization_code', 'password', 'client_credentials'],
  redirect_uris: REDIRECT_URIS.split(','),
  response_types: ['code'],
};
const { privateKey } = await generateKeyPair('RS256', { extractable: true });

const SIGNED = {
  scope: 'openid profile email groups',
  audience: 'cloud',
  accessTokenFormat: 'jwt',
  jwt: { sign: { alg: 'RS256' } },
};
const provider = new Provider(`http://127.0.0.1:${PORT}`, {
  // `signed` has access tokens that are signed, `cloud` opaque ones.
  clients: [
    { ...client, client_id: 'cloud' },
    { ...client, client_id: 'signed' },
  ],
  jwks: { keys: [{ ...(await exportJWK(privateKey)), alg: 'RS256', use: 'sig' }] },
  cookies: { keys: ['only for tests'] },
  scopes: ['openid', 'profile', 'email', 'groups'],
  claims: { openid: ['sub'], profile: ['name', 'preferred_username'], email: ['email'], groups: ['groups'] },
  // keystoneauth's v3oidcauthcode knows nothing of it.
  pkce: { required: (_, { clientId }) => clientId === 'cloud' },
  features: {
    introspection: { enabled: true },
    clientCredentials: { enabled: true },
    devInteractions: { enabled: true },
    resourceIndicators: {
      enabled: true,
      defaultResource: (ctx, { clientId }) =>
        clientId === 'signed' && ctx.oidc.params.grant_type === 'client_credentials' ? 'urn:cloud' : undefined,
      getResourceServerInfo: () => SIGNED,
    },
  },
  findAccount: (_, sub) => {
    const person = PEOPLE[sub];
    return person && { accountId: sub, claims: () => ({ sub, preferred_username: sub, ...person }) };
  },
  extraTokenClaims: (_, token) => {
    const person = PEOPLE[token.accountId];
    return person && { preferred_username: token.accountId, ...person };
  },
});
// The grant for a password, which the package leaves to those who still want it.
provider.registerGrantType(
  'password',
  async (ctx) => {
    const { client, params } = ctx.oidc;
    const accountId = params.username;
    if (!PEOPLE[accountId] || params.password !== [...accountId].reverse().join('')) {
      ctx.status = 400;
      ctx.body = { error: 'invalid_grant' };
      return;
    }
    const grant = new provider.Grant({ accountId, clientId: client.clientId });
    grant.addOIDCScope(params.scope);
    const grantId = await grant.save();
    const common = { accountId, client, grantId, gty: 'password', scope: params.scope };
    const token = new provider.AccessToken(common);
    if (client.clientId === 'signed') token.resourceServer = new provider.ResourceServer('urn:cloud', SIGNED);
    ctx.body = { access_token: await token.save(), expires_in: token.expiration, token_type: 'Bearer' };
  },
  ['username', 'password', 'scope'],
);

provider.listen(Number(PORT), '127.0.0.1', () => console.log('ready'));
