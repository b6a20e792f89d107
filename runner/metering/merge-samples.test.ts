import { expect, it } from 'vitest';
import type { Sample } from '../../shared/protocol/messages.ts';
import { mergeSamples } from './merge-samples.ts';

const of = (epoch: string, values: Sample['values']): Sample => ({ type: 'server', id: 's', epoch, values });

it('takes of counters the higher and of gauges the later, and keeps what only one says', () => {
  const before = of('e', { 'cpu.time': 5, 'memory.usage': 9, 'disk.read.bytes': 1 });
  const after = of('e', { 'cpu.time': 4, 'memory.usage': 3, 'disk.write.bytes': 2 });
  expect(mergeSamples([before], [after])).toEqual([
    of('e', { 'cpu.time': 5, 'memory.usage': 3, 'disk.read.bytes': 1, 'disk.write.bytes': 2 }),
  ]);
});

it('keeps epochs apart, the older first', () => {
  const [old, now] = [of('e1', { 'cpu.time': 5 }), of('e2', { 'cpu.time': 1 })];
  expect(mergeSamples([old], [now, of('e1', { 'cpu.time': 6 })])).toEqual([of('e1', { 'cpu.time': 6 }), now]);
});
