import { Hono } from 'hono';
import { parseBody, parseValue } from '../../http/body.ts';
import { type AppEnv, actorContext } from '../../http/context.ts';
import { noCollectors, noRules } from './faults.ts';
import { listMetricInfo, showConfig, showMetricInfo } from './info.ts';
import { listModules, moduleView1, showModule, updateModule } from './modules.ts';
import { parametersOf, reportQuery, storageQuery, tenantsQuery, totalQuery } from './query.ts';
import { quote, quoteBody } from './quote.ts';
import { listTenants, reportSummary, reportTotal, storedFrames } from './reports.ts';
import { reportView, storedFrameViews } from './views.ts';

const reports = new Hono<AppEnv>()
  .get('/summary', async (c) => {
    const query = parseValue(parametersOf(c.req.url), reportQuery);
    const { sums, projectId } = await reportSummary(actorContext(c), query);
    return c.json({ summary: sums.map((sum) => reportView(sum, projectId)) });
  })
  .get('/total', async (c) => {
    const query = parseValue(parametersOf(c.req.url), totalQuery);
    return c.json(await reportTotal(actorContext(c), query));
  })
  .get('/tenants', async (c) => {
    const query = parseValue(parametersOf(c.req.url), tenantsQuery);
    return c.json(await listTenants(actorContext(c), query));
  });

const info = new Hono<AppEnv>().get('/config', async (c) => c.json(await showConfig(actorContext(c))));
// What today is a metric was a service once; both names are called still.
for (const name of ['metrics', 'services']) {
  info.get(`/${name}`, async (c) => c.json({ metrics: await listMetricInfo(actorContext(c)) }));
  info.get(`/${name}/:metric`, async (c) => c.json(await showMetricInfo(actorContext(c), c.req.param('metric'))));
}

const modules = new Hono<AppEnv>()
  .get('/modules', (c) => c.json({ modules: listModules(actorContext(c)).map(moduleView1) }))
  .get('/modules/:id', (c) => c.json(moduleView1(showModule(actorContext(c), c.req.param('id')))))
  .put('/modules/:id', (c) => updateModule(actorContext(c), c.req.param('id')))
  .post('/quote', async (c) => c.json(await quote(actorContext(c), await parseBody(c, quoteBody))));

/** `/rating/v1`: what `openstack rating` calls unless it is told otherwise. Its decimals are texts, which are exact. */
export const v1 = new Hono<AppEnv>()
  .route('/report', reports)
  .route('/info', info)
  .route('/rating', modules)
  .all('/rating/module_config/*', () => {
    throw noRules();
  })
  .all('/collector/*', () => {
    throw noCollectors();
  })
  .get('/storage/dataframes', async (c) => {
    const query = parseValue(parametersOf(c.req.url), storageQuery);
    return c.json({ dataframes: storedFrameViews(await storedFrames(actorContext(c), query)) });
  });
