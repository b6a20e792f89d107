import { expect, it } from 'vitest';
import type { Measure } from '../gnocchi/periods.ts';
import { judgeAlarm } from './judge-alarm.ts';

const measures = (...values: number[]): Measure[] => values.map((value, at) => [at * 10_000, 10, value]);
const alarm = { statistic: 'rate', comparison: 'gt', threshold: 100, state: 'ok' } as const;

it('takes the rate of a counter by the second', () => {
  expect(judgeAlarm(alarm, measures(1_000, 1_000))).toEqual({ state: 'ok', value: 100 });
  expect(judgeAlarm(alarm, measures(1_000, 1_001))).toEqual({ state: 'triggered', value: 100.05 });
  expect(judgeAlarm({ ...alarm, comparison: 'ge' }, measures(1_000))).toEqual({ state: 'triggered', value: 100 });
});

it.each([
  ['mean', 'lt', 20, 'ok'],
  ['mean', 'le', 20, 'triggered'],
  ['min', 'lt', 10, 'triggered'],
  ['max', 'ge', 30, 'triggered'],
] as const)('takes the %s of a gauge', (statistic, comparison, value, state) => {
  const gauge = { ...alarm, statistic, comparison, threshold: statistic === 'min' ? 11 : value };
  expect(judgeAlarm(gauge, measures(10, 20, 30))).toEqual({ state, value });
});

it('stays as it is where nothing was read', () => {
  for (const state of ['unknown', 'ok', 'triggered'] as const)
    expect(judgeAlarm({ ...alarm, state }, [])).toEqual({ state, value: null });
});
