import { Hono } from 'hono';
import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import type { AppContext, AppEnv } from '../../../http/context.ts';
import { unauthorized } from '../../../http/errors.ts';
import { queryOf, selfUrl } from '../../http/collection.ts';
import { redirectUri } from '../oidc/redirect-uri.ts';
import type { Way } from './log-in.ts';
import { choicePage, tokenPage } from './pages.ts';
import { beginWebsso, endWebsso, trustedOrigin, WEBSSO_LIFE_S, waysOf } from './websso.ts';

const OF_PROVIDER = '/auth/OS-FEDERATION/identity_providers/:idp/protocols/:protocol/websso';
const OF_PROTOCOL = '/auth/OS-FEDERATION/websso/:protocol';

/** Log-ins by browser, for a dashboard: there to the identity provider, back here, and to the dashboard with a token. */
export const webssoRoutes = new Hono<AppEnv>()
  .on(['GET', 'POST'], OF_PROVIDER, (c) => begin(c, { idpId: c.req.param('idp'), protocolId: c.req.param('protocol') }))
  .on(['GET', 'POST'], OF_PROTOCOL, async (c) => {
    const origin = trustedOrigin(c.get('ctx'), queryOf(c).get('origin'));
    const protocolId = c.req.param('protocol');
    const ways = await waysOf(c.get('ctx'), protocolId);
    const [only] = ways;
    if (!only) throw unauthorized();
    if (ways.length === 1) return begin(c, only);
    const root = selfUrl(c, new URLSearchParams()).replace(/\/websso\/[^/]*$/, '');
    const links = ways.map(({ idpId }) => ({
      text: idpId,
      href: `${root}/identity_providers/${encodeURIComponent(idpId)}/protocols/${encodeURIComponent(protocolId)}/websso?${new URLSearchParams({ origin })}`,
    }));
    return page(c, choicePage(links));
  })
  .get('/redirect_uri', async (c) => {
    const ctx = c.get('ctx');
    const query = queryOf(c);
    const state = query.get('state') ?? '';
    const name = cookieOf(state);
    const sealed = name && getCookie(c, name);
    if (!name || !sealed) throw unauthorized();
    deleteCookie(c, name, cookieOptions(c));
    const { origin, text } = await endWebsso(ctx, {
      sealed,
      state,
      code: query.get('code'),
      error: query.get('error'),
    });
    const nonce = ctx.ids.hex();
    c.header('content-security-policy', `default-src 'none'; script-src 'nonce-${nonce}'`);
    return page(c, tokenPage({ origin, token: text, nonce }));
  });

async function begin(c: AppContext, way: Way): Promise<Response> {
  const ctx = c.get('ctx');
  const origin = trustedOrigin(ctx, queryOf(c).get('origin'));
  const { url, state, sealed } = await beginWebsso(ctx, way, origin);
  setCookie(c, cookieOf(state) ?? '', sealed, { ...cookieOptions(c), maxAge: WEBSSO_LIFE_S });
  return c.redirect(url, 302);
}

/** One cookie a log-in, so that two in one browser do not end each other. */
const cookieOf = (state: string): string | undefined => (/^[0-9a-f]{32}$/.test(state) ? `websso_${state}` : undefined);

function cookieOptions(c: AppContext) {
  const { pathname, protocol } = new URL(redirectUri(c.get('ctx')));
  return { path: pathname, httpOnly: true, sameSite: 'Lax', secure: protocol === 'https:' } as const;
}

function page(c: AppContext, html: string): Response {
  c.header('cache-control', 'no-store');
  c.header('referrer-policy', 'no-referrer');
  return c.html(html);
}
