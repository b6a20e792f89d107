import { METERS, type Meter } from '../../../shared/meters.ts';
import { DAY_MS, HOUR_MS, monthEnd, monthStart } from './calendar.ts';

/** What time is priced by. */
export const TIME_UNITS = ['hours', 'days', 'months'] as const;

/** A unit of time in milliseconds; a month is as long as the one that the usage is in. */
export function timeUnitMs(unit: string, monthMs: number): number {
  if (unit === 'months') return monthEnd(monthMs) - monthStart(monthMs);
  return unit === 'days' ? DAY_MS : HOUR_MS;
}

const KIB = 1024;
/** What volumes are priced by, in the units that their meters count. */
const VOLUME_UNITS: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  bytes: { bytes: 1, KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, KiB: KIB, MiB: KIB ** 2, GiB: KIB ** 3, TiB: KIB ** 4 },
  requests: { requests: 1, thousands: 1e3, millions: 1e6 },
  packets: { packets: 1, thousands: 1e3, millions: 1e6 },
  ns: { seconds: 1e9, minutes: 60e9, hours: 3600e9 },
};

export const isMeter = (item: string): item is Meter => Object.hasOwn(METERS, item);

/** The units that a meter's usage can be priced by. Gauges have none: a mean is not used up. */
export const volumeUnits = (meter: Meter): string[] =>
  METERS[meter].type === 'counter' ? Object.keys(VOLUME_UNITS[METERS[meter].unit] ?? {}) : [];

/** How much of a meter's own unit one order unit is. @throws RangeError for a unit that is none of the meter's */
export function volumeUnit(meter: string, unit: string): number {
  const size = isMeter(meter) ? VOLUME_UNITS[METERS[meter].unit]?.[unit] : undefined;
  if (size === undefined) throw new RangeError(`${meter} is not counted in ${unit}`);
  return size;
}
