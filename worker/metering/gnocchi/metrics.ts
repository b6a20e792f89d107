import { METERS, type Meter } from '../../../shared/meters.ts';
import type { ActorContext } from '../../http/context.ts';
import { badRequest } from '../../http/errors.ts';
import { authorize } from '../../http/policy.ts';
import { metricNotFound } from './faults.ts';
import { findResources, type MeteredResource } from './find-resources.ts';
import { metricId, metricsOfId } from './metric-ids.ts';
import type { Measure } from './periods.ts';
import { policy } from './policy.ts';
import { type MeasuresAsked, readMeasures } from './read-measures.ts';
import type { Page } from './resources.ts';
import { metersOf } from './types.ts';

/** A meter of a resource. */
export interface Metric {
  resource: MeteredResource;
  meter: Meter;
}

/** Metrics that the actor sees, a page of them in the order of their resources. @throws ApiError 400 the marker is none */
export async function listMetrics(ctx: ActorContext, page: Page): Promise<Metric[]> {
  authorize(ctx, policy, 'metric:metrics:list');
  const marker = page.marker === undefined ? null : await find(ctx, page.marker);
  if (page.marker !== undefined && !marker) throw badRequest('Invalid input: the marker is no metric.');
  const from = marker ? { from: marker.resource.id } : {};
  // Each has at least one, but for images and routers, which have none.
  const resources = await findResources(ctx, { kind: null, limit: page.limit + 1, ...from });
  const all = resources.flatMap((resource) => metersOf(resource.kind).map((meter) => ({ resource, meter })));
  const at = marker ? all.findIndex((one) => metricId(one.resource.id, one.meter) === page.marker) + 1 : 0;
  return all.slice(at, at + page.limit);
}

/** A metric by its id. @throws ApiError 404 */
export async function showMetric(ctx: ActorContext, id: string): Promise<Metric> {
  authorize(ctx, policy, 'metric:metrics:show');
  const metric = await find(ctx, id);
  if (!metric) throw metricNotFound(id.slice(0, 64));
  return metric;
}

/** A metric of a resource by its name. @throws ApiError 404 */
export function metricOf(resource: MeteredResource, name: string): Metric {
  const meter = metersOf(resource.kind).find((one) => one === name || metricId(resource.id, one) === name);
  if (!meter) throw metricNotFound(name.slice(0, 64));
  return { resource, meter };
}

/** @throws ApiError 400 */
export async function showMeasures(
  ctx: ActorContext,
  { resource, meter }: Metric,
  asked: MeasuresAsked,
): Promise<Measure[]> {
  authorize(ctx, policy, 'metric:measures:show');
  if (asked.method.rate && METERS[meter].type === 'gauge')
    throw badRequest(`Aggregation method 'rate:${asked.method.of}' does not exist for this metric.`);
  return readMeasures(ctx, resource, meter, asked);
}

async function find(ctx: ActorContext, id: string): Promise<Metric | null> {
  const candidates = metricsOfId(id);
  if (candidates.length === 0) return null;
  const ids = candidates.map(({ resourceId }) => resourceId);
  const resources = await findResources(ctx, { kind: null, ids, limit: ids.length });
  for (const { resourceId, meter } of candidates) {
    const resource = resources.find((one) => one.id === resourceId && one.kind === METERS[meter].of);
    if (resource) return { resource, meter };
  }
  return null;
}
