import { METERS, type Meter } from '../../../shared/meters.ts';
import { pythonTime } from '../../http/times.ts';
import { archivePolicy } from './archive-policies.ts';
import type { MeteredResource } from './find-resources.ts';
import { metricId } from './metric-ids.ts';
import type { Measure } from './periods.ts';
import { metersOf, typeOfKind } from './types.ts';

/** What all resources have, and that of their type where it is asked for. */
export function resourceView(resource: MeteredResource, type: string) {
  const { kind, id, projectId, startedAtMs, endedAtMs, revisionStartMs } = resource;
  const metrics = metersOf(kind).map((meter) => [meter, metricId(id, meter)]);
  return {
    id,
    type: typeOfKind(kind),
    project_id: projectId,
    user_id: null,
    original_resource_id: id,
    creator: null,
    created_by_user_id: null,
    created_by_project_id: null,
    started_at: pythonTime(startedAtMs),
    ended_at: endedAtMs === null ? null : pythonTime(endedAtMs),
    revision_start: pythonTime(revisionStartMs),
    revision_end: null as string | null,
    metrics: Object.fromEntries(metrics) as Record<string, string>,
    ...(type === 'generic' ? {} : attributes(resource)),
  };
}

function attributes({ kind, name, itemType, state }: MeteredResource) {
  if (kind === 'server') return { display_name: name, flavor_name: itemType, state };
  return kind === 'port' || kind === 'router' ? { display_name: name } : { display_name: name, state };
}

/** One revision of a resource: the last has no end while the resource lives. */
export function revisionView(revision: MeteredResource, at: number, all: MeteredResource[], type: string) {
  const { endedAtMs } = revision;
  const last = at === all.length - 1;
  const view = resourceView({ ...revision, endedAtMs: last ? endedAtMs : null }, type);
  return { ...view, revision_end: endedAtMs === null ? null : pythonTime(endedAtMs) };
}

export function metricView(resource: MeteredResource, meter: Meter) {
  return {
    id: metricId(resource.id, meter),
    name: meter,
    unit: METERS[meter].unit,
    archive_policy: archivePolicy(METERS[meter].type),
    creator: null,
    created_by_user_id: null,
    created_by_project_id: null,
    resource_id: resource.id,
  };
}

/** A metric by itself shows its resource whole. */
export function wholeMetricView(resource: MeteredResource, meter: Meter) {
  const { resource_id: _resourceId, ...metric } = metricView(resource, meter);
  const { metrics: _metrics, ...whole } = resourceView(resource, 'generic');
  return { ...metric, resource: whole };
}

export const measuresView = (measures: Measure[]) =>
  measures.map(([startMs, granularityS, value]) => [pythonTime(startMs), granularityS, value]);
