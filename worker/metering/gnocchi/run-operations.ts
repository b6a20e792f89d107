import { z } from 'zod';
import type { ActorContext } from '../../http/context.ts';
import { authorize } from '../../http/policy.ts';
import { aggregateMetrics, aggregateResources, foundWith, type Group, type Together } from './aggregates.ts';
import { conditionBody, parseFilter, parseFilterText } from './filters.ts';
import { type Metric, metricOf, showMeasures, showMetric } from './metrics.ts';
import { type Operations, parseOperations } from './operations.ts';
import { policy } from './policy.ts';
import { measuresView } from './views.ts';

/** Metrics that one call tells of each by itself. */
const APART_MAX = 100;

export const operationsBody = z.object({
  operations: z.unknown(),
  search: z.union([z.string(), conditionBody]).optional(),
  resource_type: z.string().max(64).default('generic'),
});

/** Answers Gnocchi's `/v1/aggregates`. @throws ApiError 400, 404 */
export async function runOperations(
  ctx: ActorContext,
  body: z.infer<typeof operationsBody>,
  query: { groupBy: string[]; asked: Together },
): Promise<unknown> {
  authorize(ctx, policy, 'metric:aggregates:show');
  const operations = parseOperations(body.operations);
  const { metric, method, together } = operations;
  const asked = { ...query.asked, method, reaggregation: together ?? query.asked.reaggregation };
  if (body.search === undefined) return apartOrTogether(ctx, [await showMetric(ctx, metric)], operations, asked);
  const { resource_type: type, search } = body;
  const filter = typeof search === 'string' ? parseFilterText(search) : parseFilter(search);
  if (query.groupBy.length > 0) {
    const groups = await aggregateResources(ctx, { type, metric, filter, groupBy: query.groupBy, asked });
    return groups.map(({ group, measures }) => ({ group, measures: aggregated(measures) }));
  }
  const found = await foundWith(ctx, { type, metric, filter });
  return apartOrTogether(
    ctx,
    found.map((resource) => metricOf(resource, metric)),
    operations,
    asked,
  );
}

const aggregated = (measures: Group['measures']) => ({ measures: { aggregated: measuresView(measures) } });

async function apartOrTogether(ctx: ActorContext, metrics: Metric[], of: Operations, asked: Together) {
  if (of.together) return aggregated(await aggregateMetrics(ctx, metrics, asked));
  const measures: Record<string, Record<string, Record<string, unknown>>> = {};
  for (const one of metrics.slice(0, APART_MAX)) {
    const shown = measuresView(await showMeasures(ctx, one, asked));
    measures[one.resource.id] = { [one.meter]: { [of.methodText]: shown } };
  }
  return { measures };
}
