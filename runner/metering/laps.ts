import { METERS, type Meter } from '../../shared/meters.ts';
import type { Sample } from '../../shared/protocol/messages.ts';

/** A counter that passes this goes on in a new epoch, from zero: messages hold no larger whole numbers. 104 days of one processor. */
export const LAP = 9_000_000_000_000_000;
/** Laps that are over and told again each time, so that who missed samples meanwhile counts them whole. */
const LAPS_TOLD = 4;

/**
 * Counters in numbers that messages hold. One that is beyond has a lap of its own for each time it was full, an epoch that
 * only its value decides, and is told with the laps before it, full, so that no part of them is lost between two samples.
 */
export function inLaps(samples: readonly Sample[]): Sample[] {
  return samples.flatMap((sample) => {
    const beyond = Object.entries(sample.values).filter(([meter, value]) => value >= LAP && isCounter(meter));
    if (beyond.length === 0) return [sample];
    const values = { ...sample.values };
    for (const [meter] of beyond) delete values[meter];
    const rest = Object.keys(values).length > 0 ? [{ ...sample, values }] : [];
    return [...beyond.flatMap(([meter, value]) => lapsOf(sample, meter, value)), ...rest];
  });
}

const isCounter = (meter: string) => METERS[meter as Meter]?.type === 'counter';

function lapsOf(sample: Sample, meter: string, value: number): Sample[] {
  const now = Math.floor(value / LAP);
  const first = Math.max(0, now - LAPS_TOLD);
  const of = (lap: number, told: number): Sample => ({
    ...sample,
    epoch: lap === 0 ? sample.epoch : `${sample.epoch}.${lap}`,
    values: { [meter]: told },
  });
  const over = Array.from({ length: now - first }, (_, at) => of(first + at, LAP));
  return [...over, of(now, value - now * LAP)];
}
