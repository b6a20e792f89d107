import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { readMember } from '../http/body.ts';
import { pageOf, queryOf, renderCollection } from '../http/collection.ts';
import { deleteAccessRule, findAccessRule, listAccessRules } from './access-rules.ts';
import { applicationCredentialToCreate } from './body.ts';
import { createApplicationCredential } from './create-application-credential.ts';
import { deleteApplicationCredential } from './delete-application-credential.ts';
import { findApplicationCredential, listApplicationCredentials } from './read.ts';
import { accessRuleView, applicationCredentialView } from './views.ts';

const at = (c: AppContext) => ({ userId: c.req.param('user') ?? '', id: c.req.param('id') ?? '' });

/** What a user lets programs do, under the user's own path. */
export const applicationCredentialRoutes = new Hono<AppEnv>()
  .get('/:user/application_credentials', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const found = await listApplicationCredentials(ctx, { userId: c.req.param('user'), query, page });
    const items = found.map((one) => ({ ...one, id: one.row.id }));
    return renderCollection(c, 'application_credentials', items, page, (one) =>
      applicationCredentialView(ctx.baseUrl, one),
    );
  })
  .post('/:user/application_credentials', async (c) => {
    const ctx = actorContext(c);
    const input = await readMember(c, 'application_credential', applicationCredentialToCreate);
    const { made, secret } = await createApplicationCredential(ctx, { ...input, userId: c.req.param('user') });
    return c.json({ application_credential: applicationCredentialView(ctx.baseUrl, made, secret) }, 201);
  })
  .get('/:user/application_credentials/:id', async (c) => {
    const ctx = actorContext(c);
    const found = await findApplicationCredential(ctx, at(c), 'identity:get_application_credential');
    return c.json({ application_credential: applicationCredentialView(ctx.baseUrl, found) });
  })
  .delete('/:user/application_credentials/:id', async (c) => {
    await deleteApplicationCredential(actorContext(c), at(c));
    return c.body(null, 204);
  })
  .get('/:user/access_rules', async (c) => {
    const ctx = actorContext(c);
    const query = queryOf(c);
    const page = pageOf(query);
    const rows = await listAccessRules(ctx, { userId: c.req.param('user'), query, page });
    return renderCollection(c, 'access_rules', rows, page, (row) => accessRuleView(ctx.baseUrl, row));
  })
  .get('/:user/access_rules/:id', async (c) => {
    const ctx = actorContext(c);
    return c.json({ access_rule: accessRuleView(ctx.baseUrl, await findAccessRule(ctx, at(c))) });
  })
  .delete('/:user/access_rules/:id', async (c) => {
    await deleteAccessRule(actorContext(c), at(c));
    return c.body(null, 204);
  });
