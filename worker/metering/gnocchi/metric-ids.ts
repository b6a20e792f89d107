import { METERS, type Meter } from '../../../shared/meters.ts';

/*
 * A metric is a meter of a resource, and no row: its id is the resource's, with a number made of the meter's name laid over
 * the last 32 bits. So it stays the same, and leads back to the resource.
 */

const FNV_OFFSET = 0x811c9dc5;
const FNV_PRIME = 0x01000193;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/;

const numberOf = (meter: string): number =>
  [...meter].reduce((hash, char) => Math.imul(hash ^ char.charCodeAt(0), FNV_PRIME) >>> 0, FNV_OFFSET);

function laidOver(id: string, meter: string): string {
  const last = (Number.parseInt(id.slice(-8), 16) ^ numberOf(meter)) >>> 0;
  return id.slice(0, -8) + last.toString(16).padStart(8, '0');
}

export const metricId = (resourceId: string, meter: Meter): string => laidOver(resourceId, meter);

/** The meters and resources that an id can be of; one of the resources exists, at most. Empty where it is no id. */
export function metricsOfId(id: string): { resourceId: string; meter: Meter }[] {
  const low = id.toLowerCase();
  if (!UUID.test(low)) return [];
  return (Object.keys(METERS) as Meter[]).map((meter) => ({ resourceId: laidOver(low, meter), meter }));
}
