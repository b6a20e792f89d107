import { badRequest } from '../../http/errors.ts';
import type { Together } from './aggregates.ts';
import { parseMoment } from './moments.ts';
import { AGGREGATIONS, parseGranularities, parseMethod } from './periods.ts';

/** What a query asks of measures: `aggregation`, `granularity`, `start`, `stop`, `reaggregation`. @throws ApiError 400 */
export function askedOf(query: URLSearchParams, nowMs: number): Together {
  const one = (name: string) => {
    const value = query.get(name);
    // The client says None for what it was not told.
    return value === null || value === '' || value === 'None' ? undefined : value;
  };
  if (one('resample') !== undefined)
    throw badRequest('Invalid input: resample is not known here; ask for a granularity.');
  const method = parseMethod(one('aggregation') ?? 'mean');
  const reaggregation = one('reaggregation') ?? method.of;
  const known = AGGREGATIONS.find((name) => name === reaggregation);
  if (!known) throw badRequest(`Aggregation method '${reaggregation.slice(0, 32)}' does not exist for this metric.`);
  const [start, stop] = [one('start'), one('stop')];
  const fromMs = start === undefined ? 0 : parseMoment(start, nowMs);
  const toMs = stop === undefined ? nowMs : parseMoment(stop, nowMs);
  if (toMs < fromMs) throw badRequest('Invalid input: start is after stop.');
  return { method, reaggregation: known, granularities: parseGranularities(one('granularity')), fromMs, toMs };
}
