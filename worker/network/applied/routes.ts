import { Hono } from 'hono';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { authenticate } from '../../identity/authenticate.ts';
import type { AppliedKind } from './applied-hosts.ts';
import { showApplied } from './show-applied.ts';

const answer = (kind: AppliedKind) => async (c: AppContext) =>
  c.json({ applied: await showApplied(actorContext(c), kind, c.req.param('id') ?? '') });

/** `/aerostat/v1/applied`: whether what was asked for is in force on the machines. */
export const appliedRoutes = new Hono<AppEnv>()
  .use(authenticate)
  .get('/networks/:id', answer('network'))
  .get('/routers/:id', answer('router'))
  .get('/security-groups/:id', answer('security-group'))
  .get('/ports/:id', answer('port'));
