import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { metricNotFound } from './faults.ts';
import type { Filter } from './filters.ts';
import type { MeteredResource } from './find-resources.ts';
import { type Metric, metricOf, showMeasures } from './metrics.ts';
import { type Aggregation, acrossMetrics, type Measure } from './periods.ts';
import { policy } from './policy.ts';
import type { MeasuresAsked } from './read-measures.ts';
import { searchResources } from './resources.ts';
import { metersOf } from './types.ts';
import { resourceView } from './views.ts';

/** Metrics that one call puts together, and of those at once. */
const METRICS_MAX = 500;
const AT_ONCE = 16;

/** How metrics become one: each by the method asked for, and those by another. */
export interface Together extends MeasuresAsked {
  reaggregation: Aggregation;
}

export interface Group {
  group: Record<string, unknown>;
  measures: Measure[];
}

/** Several metrics as one. @throws ApiError 400 they are too many */
export async function aggregateMetrics(ctx: ActorContext, metrics: Metric[], asked: Together): Promise<Measure[]> {
  authorize(ctx, policy, 'metric:aggregates:show');
  if (metrics.length > METRICS_MAX)
    throw badRequest(
      `These are ${metrics.length} metrics, and ${METRICS_MAX} is the most that are put together: narrow the query.`,
    );
  const all: Measure[][] = [];
  for (let at = 0; at < metrics.length; at += AT_ONCE) {
    const some = metrics.slice(at, at + AT_ONCE);
    all.push(...(await Promise.all(some.map((metric) => showMeasures(ctx, metric, asked)))));
  }
  return acrossMetrics(all, asked.reaggregation);
}

/**
 * A metric of all resources that a condition holds for, by groups of what they have in common.
 * @param of.groupBy - attributes; none: all in one
 * @throws ApiError 400, 404 no such type or metric
 */
export async function aggregateResources(
  ctx: ActorContext,
  of: { type: string; metric: string; filter: Filter; groupBy: string[]; asked: Together },
): Promise<Group[]> {
  const { type, metric, filter, groupBy, asked } = of;
  const found = await foundWith(ctx, { type, metric, filter });
  const groups = new Map<string, { group: Record<string, unknown>; metrics: Metric[] }>();
  for (const resource of found) {
    const view: Record<string, unknown> = resourceView(resource, type);
    const group = Object.fromEntries(groupBy.map((name) => [name, attributeOf(view, name)]));
    const key = JSON.stringify(group);
    const one = groups.get(key) ?? { group, metrics: [] };
    one.metrics.push(metricOf(resource, metric));
    groups.set(key, one);
  }
  const answers: Group[] = [];
  for (const { group, metrics } of groups.values())
    answers.push({ group, measures: await aggregateMetrics(ctx, metrics, asked) });
  return answers;
}

/** The resources that a condition holds for and that have a metric. @throws ApiError 400, 404 there are none */
export async function foundWith(
  ctx: ActorContext,
  { type, metric, filter }: { type: string; metric: string; filter: Filter },
): Promise<MeteredResource[]> {
  const found = await searchResources(ctx, type, filter);
  const having = found.filter(({ kind }) => metersOf(kind).some((meter) => meter === metric));
  if (having.length === 0) throw metricNotFound(metric.slice(0, 64));
  return having;
}

function attributeOf(view: Record<string, unknown>, name: string): unknown {
  if (!Object.hasOwn(view, name) || name === 'metrics')
    throw badRequest(`Invalid groupby attribute: '${name.slice(0, 64)}'.`);
  return view[name];
}
