import type { ActorContext } from '../../http/context.ts';
import { notFound } from '../../http/errors.ts';
import { listZones } from '../availability/list-zones.ts';

/** @throws ApiError 404 for a hint at a zone that no host is in */
export async function checkZones(ctx: ActorContext, hints: string[]): Promise<void> {
  if (hints.length === 0) return;
  const zones = await listZones(ctx);
  const unknown = hints.find((hint) => !zones.some(({ name, resource }) => name === hint && resource === 'router'));
  if (unknown !== undefined) {
    throw notFound(`AvailabilityZone ${unknown} could not be found.`, 'AvailabilityZoneNotFound');
  }
}
