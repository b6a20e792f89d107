import { MINUTES_KEPT_MS, RAW_KEPT_MS } from '../limits.ts';
import { AGGREGATIONS } from './periods.ts';

const span = (seconds: number): string => {
  const [days, rest] = [Math.floor(seconds / 86_400), seconds % 86_400];
  const clock = new Date(rest * 1_000).toISOString().slice(11, 19).replace(/^0/, '');
  return days === 0 ? clock : `${days} day${days === 1 ? '' : 's'}, ${clock}`;
};
/** Windows of hours stay; ten years is how far one can look back. */
const HOURS_KEPT_S = 3_650 * 86_400;

const kept = (granularityS: number, timespanS: number) => ({
  granularity: span(granularityS),
  points: Math.floor(timespanS / granularityS),
  timespan: span(timespanS),
});

/** How long what is kept. It is the same for all counters and all gauges: nobody makes or changes a policy here. */
export const archivePolicy = (type: 'counter' | 'gauge') => ({
  name: type,
  back_window: 0,
  definition: [kept(10, RAW_KEPT_MS / 1_000), kept(60, MINUTES_KEPT_MS / 1_000), kept(3_600, HOURS_KEPT_S)],
  aggregation_methods:
    type === 'gauge' ? [...AGGREGATIONS] : [...AGGREGATIONS, ...AGGREGATIONS.map((one) => `rate:${one}`)],
});

export const archivePolicies = () => [archivePolicy('counter'), archivePolicy('gauge')];
