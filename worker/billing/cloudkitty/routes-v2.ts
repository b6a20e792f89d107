import { Hono } from 'hono';
import { parseBody, parseValue } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { conflict } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { reprocessBody, resetBody } from './bodies.ts';
import { nothingFound } from './faults.ts';
import { listPoints } from './list-points.ts';
import { listScopes } from './list-scopes.ts';
import { listModules, showModule, updateModule } from './modules.ts';
import { policy, type RatingAction } from './policy.ts';
import { dataframesQuery, parametersOf, reprocessQuery, scopeQuery, summaryQuery, timeOf } from './query.ts';
import { createReprocess, listReprocesses, reprocessView } from './reprocesses.ts';
import { resetScopes } from './reset-scopes.ts';
import { summarize } from './summarize.ts';
import { ownOrAll } from './usage.ts';
import { dataframeViews, scopeView, summaryView } from './views.ts';

const nowOf = (c: AppContext) => c.get('ctx').clock.nowMs();

/** What CloudKitty can be told, and what only billing says here. @throws ApiError 403; 409 always */
function refuse(c: AppContext, action: RatingAction, why: string): never {
  authorize(actorContext(c), policy, action);
  throw conflict(why);
}
const SCOPES_ARE_BILLINGS =
  'Scopes are the projects that something is subscribed for: they are not made or switched by call.';
const USAGE_IS_BILLINGS =
  'What was used is booked by billing alone: subscribe for it under /aerostat/v1/billing/subscriptions.';

const usage = new Hono<AppEnv>()
  .get('/summary', async (c) => {
    const ctx = actorContext(c);
    const { groupby, filters, response_format, ...query } = parseValue(parametersOf(c.req.url), summaryQuery);
    const usage = { ...timeOf(query, nowOf(c)), projectId: ownOrAll(ctx, 'rating:summary:show'), filters };
    return c.json(summaryView(await summarize(ctx, usage, groupby), query, response_format));
  })
  .get('/dataframes', async (c) => {
    const ctx = actorContext(c);
    const { filters, ...query } = parseValue(parametersOf(c.req.url), dataframesQuery);
    const usage = { ...timeOf(query, nowOf(c)), projectId: ownOrAll(ctx, 'rating:dataframes:list'), filters };
    const { total, points } = await listPoints(ctx, usage, query);
    if (total === 0) throw nothingFound();
    return c.json({ total, dataframes: dataframeViews(points) });
  })
  .post('/dataframes', (c) => refuse(c, 'rating:dataframes:add', USAGE_IS_BILLINGS));

const scopes = new Hono<AppEnv>()
  .get('/scope', async (c) => {
    const ctx = actorContext(c);
    authorize(ctx, policy, 'rating:scopes:list');
    const query = parseValue(parametersOf(c.req.url), scopeQuery);
    const scopes = await listScopes(ctx, query, query);
    if (scopes.length === 0) throw nothingFound();
    return c.json({ results: scopes.map(scopeView) });
  })
  .put('/scope', async (c) => {
    await resetScopes(actorContext(c), await parseBody(c, resetBody));
    return c.json({}, 202);
  })
  .patch('/scope', (c) => refuse(c, 'rating:scopes:update', SCOPES_ARE_BILLINGS))
  .post('/scope', (c) => refuse(c, 'rating:scopes:update', SCOPES_ARE_BILLINGS));

const tasks = new Hono<AppEnv>();
// The path of the one that is made is in the singular, of the list in the plural; clients of both kinds are about.
for (const path of ['/task/reprocess', '/task/reprocesses']) {
  tasks.post(path, async (c) => {
    await createReprocess(actorContext(c), await parseBody(c, reprocessBody));
    return c.json({}, 202);
  });
}
tasks
  .get('/task/reprocesses', async (c) => {
    const query = parseValue(parametersOf(c.req.url), reprocessQuery);
    return c.json({ results: (await listReprocesses(actorContext(c), query)).map(reprocessView) });
  })
  .get('/task/reprocesses/:scope', async (c) => {
    const query = parseValue(parametersOf(c.req.url), reprocessQuery);
    const of = { ...query, scope_ids: [c.req.param('scope')] };
    return c.json({ results: (await listReprocesses(actorContext(c), of)).map(reprocessView) });
  });

/** `/rating/v2`. Its decimals are JSON's numbers, the nearest there are. */
export const v2 = new Hono<AppEnv>()
  .route('/', usage)
  .route('/', scopes)
  .route('/', tasks)
  .get('/rating/modules', (c) => c.json({ modules: listModules(actorContext(c)) }))
  .get('/rating/modules/:id', (c) => c.json(showModule(actorContext(c), c.req.param('id'))))
  .put('/rating/modules/:id', (c) => updateModule(actorContext(c), c.req.param('id')));
