import fc from 'fast-check';
import { expect, it } from 'vitest';
import { sample as sampleSchema } from '../../shared/protocol/messages.ts';
import { NaiveReceiver } from '../testing/naive-receiver.ts';
import { inLaps, LAP } from './laps.ts';
import { mergeSamples } from './merge-samples.ts';

const of = (values: Record<string, number>) => ({ type: 'server', id: 's', epoch: 'e', values });

it('leaves what messages hold as it is, and gauges always', () => {
  const plain = [of({ 'cpu.time': LAP - 1, 'memory.usage': 5 })];
  expect(inLaps(plain)).toEqual(plain);
});

it('tells a counter that is beyond in laps, the full ones before it', () => {
  const lap = (epoch: string, value: number) => ({ ...of({ 'cpu.time': value }), epoch });
  expect(inLaps([of({ 'cpu.time': 2 * LAP + 7 * 128, 'disk.read.bytes': 3 })])).toEqual([
    lap('e', LAP),
    lap('e.1', LAP),
    lap('e.2', 7 * 128),
    of({ 'disk.read.bytes': 3 }),
  ]);
});

it('adds up to the counter, in whole numbers that messages hold, whatever it rises by', () => {
  fc.assert(
    // In steps of processor time, 10 ms.
    fc.property(fc.array(fc.nat(1_500_000_000), { minLength: 1, maxLength: 12 }), (rises) => {
      const told = new NaiveReceiver();
      let ticks = 0;
      for (const rise of rises) {
        ticks += rise;
        for (const one of mergeSamples(inLaps([of({ 'cpu.time': ticks * 10_000_000 })]))) {
          expect(sampleSchema.safeParse(one).success).toBe(true);
          told.take([one]);
        }
      }
      expect(told.sum('s', 'cpu.time')).toBe(ticks * 10_000_000);
    }),
  );
});
