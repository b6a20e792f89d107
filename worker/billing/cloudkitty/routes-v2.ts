import { Hono } from 'hono';
import { parseBody, parseValue } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { nothingFound } from './faults.ts';
import { listPoints } from './list-points.ts';
import { listScopes } from './list-scopes.ts';
import { listModules, showModule, updateModule } from './modules.ts';
import { policy } from './policy.ts';
import { dataframesQuery, parametersOf, scopeQuery, summaryQuery, timeOf } from './query.ts';
import { summarize } from './summarize.ts';
import { ownOrAll } from './usage.ts';
import { dataframeViews, scopeView, summaryView } from './views.ts';

const nowOf = (c: AppContext) => c.get('ctx').clock.nowMs();

/** `/rating/v2`. Its decimals are JSON's numbers, the nearest there are. */
export const v2 = new Hono<AppEnv>()
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
  .get('/scope', async (c) => {
    const ctx = actorContext(c);
    authorize(ctx, policy, 'rating:scopes:list');
    const query = parseValue(parametersOf(c.req.url), scopeQuery);
    const scopes = await listScopes(ctx, query, query);
    if (scopes.length === 0) throw nothingFound();
    return c.json({ results: scopes.map(scopeView) });
  })
  .get('/rating/modules', (c) => c.json({ modules: listModules(actorContext(c)) }))
  .get('/rating/modules/:id', (c) => c.json(showModule(actorContext(c), c.req.param('id'))))
  .put('/rating/modules/:id', (c) => updateModule(actorContext(c), c.req.param('id')));
