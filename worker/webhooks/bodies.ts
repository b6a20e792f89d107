import { z } from 'zod';
import { typesOf } from '../../shared/event-types.ts';
import { SECRET_TYPES } from './keys.ts';
import {
  DESCRIPTION_LENGTH_MAX,
  FILTERS_MAX,
  SECRET_OVERLAP_S,
  SECRET_OVERLAP_S_MAX,
  URL_LENGTH_MAX,
} from './limits.ts';

const url = z.string().min(1).max(URL_LENGTH_MAX);
const description = z.string().max(DESCRIPTION_LENGTH_MAX);
const filter = z
  .string()
  .max(64)
  .refine(
    (text) => typesOf(text).length > 0,
    'No event is of this type: GET /aerostat/v1/webhooks/event-types lists them.',
  );
/** Each once, in an order of their own, so that one choice is one text. */
const filters = z
  .array(filter)
  .min(1, "Name at least one type, or '*' for all.")
  .max(FILTERS_MAX)
  .transform((texts) => [...new Set(texts)].sort());
const secretType = z.enum(SECRET_TYPES).default('hmac');

export const endpointBody = z.strictObject({
  endpoint: z.strictObject({
    url,
    events: filters.prefault(['*']),
    description: description.default(''),
    enabled: z.boolean().default(true),
    /** `region`: the operator's, told of all the region's events. */
    scope: z.enum(['project', 'region']).default('project'),
    secret_type: secretType,
  }),
});
export type NewEndpoint = z.infer<typeof endpointBody>['endpoint'];

export const endpointPatch = z.strictObject({
  endpoint: z.strictObject({
    url: url.optional(),
    events: filters.optional(),
    description: description.optional(),
    enabled: z.boolean().optional(),
  }),
});
export type EndpointPatch = z.infer<typeof endpointPatch>['endpoint'];

export const rotateBody = z.strictObject({
  secret: z
    .strictObject({
      type: secretType,
      /** How long the secrets before go on signing beside the new one; 0 for one that is known to others. */
      overlap_s: z.int().min(0).max(SECRET_OVERLAP_S_MAX).default(SECRET_OVERLAP_S),
    })
    .prefault({}),
});
export type Rotation = z.infer<typeof rotateBody>['secret'];

const moment = z.iso.datetime({ offset: true });
export const replayBody = z.strictObject({
  replay: z
    .strictObject({
      /** Its name: what one replay has sent again, it does not once more. */
      id: z.uuid().optional(),
      since: moment,
      until: moment.optional(),
      /** What was delivered is sent again only where this says so. */
      delivered: z.boolean().default(false),
    })
    .refine(({ since, until }) => !until || Date.parse(since) < Date.parse(until), 'The range ends before it begins.'),
});
export type Replay = z.infer<typeof replayBody>['replay'];
