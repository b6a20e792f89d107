import { z } from 'zod';
import { METERS, type Meter, SAMPLE_EVERY_MS } from '../../../shared/meters.ts';

const NAME_LENGTH_MAX = 255;
const WINDOW_S_MIN = 30;
/** Points of ten seconds are kept longer than that. */
const WINDOW_S_MAX = 3_600;
const SAMPLE_EVERY_S = SAMPLE_EVERY_MS / 1_000;

const name = z.string().max(NAME_LENGTH_MAX);
const threshold = z.number();
const comparison = z.enum(['gt', 'ge', 'lt', 'le']);

/** An alarm: of which meter of which resource, and what of it is past the threshold. */
export const alarmBody = z.strictObject({
  alarm: z
    .strictObject({
      name: name.default(''),
      resource_id: z.string().min(1).max(64),
      meter: z.enum(Object.keys(METERS) as [Meter, ...Meter[]]),
      statistic: z.enum(['rate', 'mean', 'min', 'max']),
      comparison,
      threshold,
      window_s: z.int().min(WINDOW_S_MIN).max(WINDOW_S_MAX).multipleOf(SAMPLE_EVERY_S).default(300),
      enabled: z.boolean().default(true),
    })
    .refine(({ meter, statistic }) => (METERS[meter].type === 'counter') === (statistic === 'rate'), {
      path: ['statistic'],
      message: "A counter has a 'rate', by the second; a gauge has a 'mean', 'min' and 'max'.",
    }),
});
export type NewAlarm = z.infer<typeof alarmBody>['alarm'];

export const alarmPatch = z.strictObject({
  alarm: z.strictObject({
    name: name.optional(),
    comparison: comparison.optional(),
    threshold: threshold.optional(),
    enabled: z.boolean().optional(),
  }),
});
export type AlarmPatch = z.infer<typeof alarmPatch>['alarm'];
