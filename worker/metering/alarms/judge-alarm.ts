import { combine, type Measure } from '../gnocchi/periods.ts';
import type { AlarmRow } from './alarms.ts';

const COMPARISONS = {
  gt: (value: number, threshold: number) => value > threshold,
  ge: (value: number, threshold: number) => value >= threshold,
  lt: (value: number, threshold: number) => value < threshold,
  le: (value: number, threshold: number) => value <= threshold,
};

/**
 * What an alarm is now. Where nothing was read it stays as it is: silence is no good news, and no bad.
 * @param measures - of its window, by the sample
 */
export function judgeAlarm(
  alarm: Pick<AlarmRow, 'statistic' | 'comparison' | 'threshold' | 'state'>,
  measures: readonly Measure[],
): Pick<AlarmRow, 'state' | 'value'> {
  if (measures.length === 0) return { state: alarm.state, value: null };
  const values = measures.map(([, , value]) => value);
  const seconds = measures.reduce((sum, [, granularityS]) => sum + granularityS, 0);
  const value = alarm.statistic === 'rate' ? combine('sum', values) / seconds : combine(alarm.statistic, values);
  return { state: COMPARISONS[alarm.comparison](value, alarm.threshold) ? 'triggered' : 'ok', value };
}
