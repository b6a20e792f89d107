import { expect, it } from 'vitest';
import { METERS, type Meter } from '../../../shared/meters.ts';
import { metricId, metricsOfId } from './metric-ids.ts';

const RESOURCE = '7f3a0000-0000-4000-8000-0000ffffffff';
const meters = Object.keys(METERS) as Meter[];

it('gives each meter of a resource another id, that leads back', () => {
  const ids = meters.map((meter) => metricId(RESOURCE, meter));
  expect(new Set([...ids, RESOURCE]).size).toBe(meters.length + 1);
  for (const [at, meter] of meters.entries())
    expect(metricsOfId((ids[at] as string).toUpperCase())).toContainEqual({ resourceId: RESOURCE, meter });
  expect(metricsOfId('cpu.time')).toEqual([]);
});

it('keeps an id for good: clients write them down', () => {
  expect(metricId(RESOURCE, 'cpu.time')).toBe('7f3a0000-0000-4000-8000-00003bee77fb');
});
