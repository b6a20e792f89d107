import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { forbidden, notFound } from '../../http/errors.ts';
import { catalogOf } from '../catalog/catalog-of.ts';
import { domainView } from '../domains/views.ts';
import { readBody } from '../http/body.ts';
import { pageOf, queryOf, renderCollection, selfUrl } from '../http/collection.ts';
import { authorize } from '../policy.ts';
import { listOwnProjects } from '../projects/list-user-projects.ts';
import { projectView } from '../projects/views.ts';
import { answerToken } from './answer-token.ts';
import { parseAuthRequest } from './auth-request.ts';
import { issueToken } from './issue-token.ts';
import { listOwnDomains, ownsSystemRole } from './own-scopes.ts';
import { renderTokenStart } from './render-token.ts';
import { revokeToken } from './revoke-token.ts';
import { type CheckedToken, checkToken } from './token-checker.ts';

/** What needs no token. */
export const loginRoutes = new Hono<AppEnv>().post('/tokens', async (c) => {
  const ctx = c.get('ctx');
  return answerToken(c, 201, await issueToken(ctx, parseAuthRequest(await readBody(c))));
});

/** Where the token's user may scope a token to. */
export const ownScopeRoutes = new Hono<AppEnv>()
  .get('/projects', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listOwnProjects(ctx, { query, page });
    return renderCollection(c, 'projects', rows, page, (row) => projectView(ctx.baseUrl, row));
  })
  .get('/domains', async (c) => {
    const ctx = actorContext(c);
    const page = pageOf(queryOf(c));
    return renderCollection(c, 'domains', await listOwnDomains(ctx, page), page, (row) => domainView(ctx.baseUrl, row));
  });

export const tokenRoutes = new Hono<AppEnv>()
  .get('/tokens', async (c) => {
    const action = c.req.method === 'HEAD' ? 'identity:check_token' : 'identity:validate_token';
    const { text, checked } = await subjectOf(c, action);
    checked.rendered ??= renderTokenStart(checked.token);
    return answerToken(c, 200, { text, token: checked.token, start: checked.rendered });
  })
  .delete('/tokens', async (c) => {
    const { checked } = await subjectOf(c, 'identity:revoke_token');
    await revokeToken(actorContext(c), checked.token);
    return c.body(null, 204);
  })
  .get('/system', async (c) => {
    const own = await ownsSystemRole(actorContext(c));
    return c.json({ system: own ? [{ all: true }] : [], links: { self: selfUrl(c) } });
  })
  .get('/catalog', async (c) => {
    const ctx = actorContext(c);
    if (ctx.actor.projectId === null) throw forbidden('You are not authorized to perform the requested action.');
    return c.json({ catalog: (await catalogOf(ctx, ctx.actor)).entries, links: { self: selfUrl(c) } });
  });

/** The token that X-Subject-Token names, on which the actor may do this. @throws ApiError 403, 404 */
async function subjectOf(
  c: AppContext,
  action: 'identity:validate_token' | 'identity:check_token' | 'identity:revoke_token',
): Promise<{ text: string; checked: CheckedToken }> {
  const ctx = actorContext(c);
  const text = c.req.header('x-subject-token');
  const checked = text === undefined ? undefined : await checkToken(ctx, text);
  if (text !== undefined && !checked) throw notFound('Failed to validate token');
  authorize(ctx, action, checked ? { userId: checked.token.user.id } : {});
  if (text === undefined || !checked) throw notFound('No token in the request');
  return { text, checked };
}
