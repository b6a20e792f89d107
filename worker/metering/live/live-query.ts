import { z } from 'zod';
import { METERS, type Meter } from '../../../shared/meters.ts';
import { LIVE_RESOURCES_MAX } from '../limits.ts';

const meter = z.enum(Object.keys(METERS) as [Meter, ...Meter[]]);

/** `?resource_id=...&resource_id=...&meter=...`: each as often as is wanted; without a meter, all. */
export const liveQuery = z.strictObject({
  resource_id: z
    .array(z.string().min(1).max(64), 'Name at least one resource_id.')
    .max(LIVE_RESOURCES_MAX)
    .transform((ids) => [...new Set(ids)]),
  meter: z.array(meter).max(Object.keys(METERS).length).optional(),
});
