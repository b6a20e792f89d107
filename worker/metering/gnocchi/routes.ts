import { Hono } from 'hono';
import { allowedMethods, noSuchRoute } from '../../http/allowed-methods.ts';
import { parseBody } from '../../http/body.ts';
import { type AppContext, type AppEnv, actorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { refuseNul } from '../../http/refuse-nul.ts';
import { authenticate } from '../../identity/authenticate.ts';
import { aggregateMetrics, aggregateResources } from './aggregates.ts';
import { archivePolicies } from './archive-policies.ts';
import { askedOf } from './asked.ts';
import { notTaken, policyNotFound, renderFault, typeNotFound } from './faults.ts';
import { conditionBody, type Filter, parseFilter, parseFilterText } from './filters.ts';
import { listMetrics, metricOf, showMeasures, showMetric } from './metrics.ts';
import { AGGREGATIONS } from './periods.ts';
import { policy } from './policy.ts';
import { listResources, pageOf, resourceHistory, searchResources, showResource } from './resources.ts';
import { operationsBody, runOperations } from './run-operations.ts';
import { attributesOf, TYPES } from './types.ts';
import { measuresView, metricView, resourceView, revisionView, wholeMetricView } from './views.ts';

const paramsOf = (c: AppContext) => new URL(c.req.url).searchParams;
const asked = (c: AppContext) => askedOf(paramsOf(c), c.get('ctx').clock.nowMs());
const groupByOf = (c: AppContext) =>
  paramsOf(c)
    .getAll('groupby')
    .filter((one) => one !== '' && one !== 'None');

/** The condition of a call: in its body, or as text in `filter`. */
async function filterOf(c: AppContext): Promise<Filter> {
  const text = paramsOf(c).get('filter');
  if (text !== null) return parseFilterText(text);
  return parseFilter(await parseBody(c, conditionBody));
}

const typeView = (name: string) => ({ name, state: 'active', attributes: attributesOf(name) });

const types = new Hono<AppEnv>()
  .use(async (c, next) => {
    authorize(actorContext(c), policy, 'metric:types:list');
    await next();
  })
  .get('/resource_type', (c) => c.json(TYPES.map(typeView)))
  .get('/resource_type/:name', (c) => {
    const name = c.req.param('name');
    if (!TYPES.includes(name)) throw typeNotFound(name.slice(0, 64));
    return c.json(typeView(name));
  })
  .get('/archive_policy', (c) => c.json(archivePolicies()))
  .get('/archive_policy/:name', (c) => {
    const name = c.req.param('name');
    const found = archivePolicies().find((one) => one.name === name);
    if (!found) throw policyNotFound(name.slice(0, 64));
    return c.json(found);
  })
  .get('/archive_policy_rule', (c) => c.json([]))
  .get('/capabilities', (c) =>
    c.json({ aggregation_methods: [...AGGREGATIONS, ...AGGREGATIONS.map((one) => `rate:${one}`)] }),
  );

const resources = new Hono<AppEnv>()
  .get('/resource/:type', async (c) => {
    const type = c.req.param('type');
    const rows = await listResources(actorContext(c), type, pageOf(c.req.query()));
    return c.json(rows.map((row) => resourceView(row, type)));
  })
  .get('/resource/:type/:id', async (c) => {
    const { type, id } = c.req.param();
    return c.json(resourceView(await showResource(actorContext(c), type, id), type));
  })
  .get('/resource/:type/:id/history', async (c) => {
    const { type, id } = c.req.param();
    const revisions = await resourceHistory(actorContext(c), type, id);
    return c.json(revisions.map((row, at) => revisionView(row, at, revisions, type)));
  })
  .get('/resource/:type/:id/metric', async (c) => {
    const { type, id } = c.req.param();
    const resource = await showResource(actorContext(c), type, id);
    return c.json(
      Object.keys(resourceView(resource, type).metrics).map((name) =>
        metricView(resource, metricOf(resource, name).meter),
      ),
    );
  })
  .get('/resource/:type/:id/metric/:name', async (c) => {
    const { type, id, name } = c.req.param();
    const resource = await showResource(actorContext(c), type, id);
    return c.json(wholeMetricView(resource, metricOf(resource, name).meter));
  })
  .get('/resource/:type/:id/metric/:name/measures', async (c) => {
    const { type, id, name } = c.req.param();
    const metric = metricOf(await showResource(actorContext(c), type, id), name);
    return c.json(measuresView(await showMeasures(actorContext(c), metric, asked(c))));
  })
  .post('/search/resource/:type', async (c) => {
    const type = c.req.param('type');
    const rows = await searchResources(actorContext(c), type, await filterOf(c));
    return c.json(rows.map((row) => resourceView(row, type)));
  });

const metrics = new Hono<AppEnv>()
  .get('/metric', async (c) => {
    const page = pageOf(c.req.query());
    const views = (await listMetrics(actorContext(c), page)).map(({ resource, meter }) => metricView(resource, meter));
    const last = views.at(-1);
    if (last && views.length === page.limit) {
      const next = `${c.get('ctx').baseUrl}/metric/v1/metric?limit=${page.limit}&marker=${last.id}`;
      c.header('link', `<${next}>; rel="next"`);
    }
    return c.json(views);
  })
  .get('/metric/:id', async (c) => {
    const { resource, meter } = await showMetric(actorContext(c), c.req.param('id'));
    return c.json(wholeMetricView(resource, meter));
  })
  .get('/metric/:id/measures', async (c) => {
    const metric = await showMetric(actorContext(c), c.req.param('id'));
    return c.json(measuresView(await showMeasures(actorContext(c), metric, asked(c))));
  })
  .get('/aggregation/metric', async (c) => {
    const ctx = actorContext(c);
    const ids = paramsOf(c).getAll('metric');
    const found = await Promise.all(ids.map((id) => showMetric(ctx, id)));
    return c.json(measuresView(await aggregateMetrics(ctx, found, asked(c))));
  })
  .post('/aggregates', async (c) => {
    const body = await parseBody(c, operationsBody);
    return c.json(await runOperations(actorContext(c), body, { groupBy: groupByOf(c), asked: asked(c) }));
  })
  .post('/aggregation/resource/:type/metric/:name', async (c) => {
    const { type, name } = c.req.param();
    const groupBy = groupByOf(c);
    const of = { type, metric: name, filter: await filterOf(c), groupBy, asked: asked(c) };
    const groups = await aggregateResources(actorContext(c), of);
    if (groupBy.length === 0) return c.json(measuresView(groups[0]?.measures ?? []));
    return c.json(groups.map(({ group, measures }) => ({ group, measures: measuresView(measures) })));
  });

const version = (c: AppContext) => ({
  id: 'v1.0',
  status: 'CURRENT',
  links: [{ rel: 'self', href: `${c.get('ctx').baseUrl}/metric/v1/` }],
});

/** `/metric`: what is measured, as Gnocchi's API tells it. It is only read: what measures is the machines. */
export const metric = new Hono<AppEnv>({ strict: false });
metric.onError((error, c) => renderFault(error, c));
metric.use(refuseNul);
metric.get('/', (c) => c.json({ build: 'aerostat', versions: [version(c)] }));
metric.use('/v1/*', authenticate);
metric.get('/v1', (c) => c.json(version(c)));
metric.route('/v1', types).route('/v1', resources).route('/v1', metrics);
metric.all('*', (c) => {
  throw notTaken(noSuchRoute(allowedMethods(metric, c.req.path.replace(/^(\/r\/[^/]+)?\/metric/, '')), c.req.method));
});
